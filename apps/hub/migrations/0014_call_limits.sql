-- What the hub was doing when it asked for itself; counted while it asks, too.
alter table reservations add column state text;
create index calls_by_state on calls (workspace_id, state, at) where state is not null;

-- Whose machine asked, by name: what a worker costs is asked long after it is gone.
alter table reservations add column worker text;
alter table calls add column worker text;
-- COST-04: a worker may have a limit of its own.
alter table reservations add column worker_id uuid;
alter table budgets drop constraint budgets_scope_check;
alter table budgets add constraint budgets_scope_check check (scope in ('workspace', 'worker', 'goal', 'task', 'run'));

-- How often the hub may ask a model for itself in each of its states, where that differs from what is built in.
create table call_limits (
  workspace_id uuid not null,
  state text not null,
  per_hour integer not null check (per_hour >= 0),
  per_day integer not null check (per_day >= 0),
  primary key (workspace_id, state)
);
call protect('call_limits', 'select, insert, update', null);

-- When somebody was last told of something that goes on, so that it is said once an hour and not at each call.
create table cost_alerts (
  workspace_id uuid not null,
  kind text not null,
  about text not null,
  at timestamptz not null default now(),
  primary key (workspace_id, kind, about)
);
call protect('cost_alerts', 'select, insert, update', null);
