-- What a worker says about itself.
alter table workers add column status text not null default '';
