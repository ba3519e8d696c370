-- What a waiting task wants of a model, in its narrow row: a round chooses by it without reading the task.
alter table task_queue add column executor text not null default 'shell';
alter table task_queue add column tier text not null default 'standard';
-- The only model that may do it, by name; null: any of its tier.
alter table task_queue add column model text;

-- The line of work that a run belongs to: the first run of it. A run whose worker vanished is followed by one that goes
-- on; a run that ended by itself is followed by one that begins anew.
alter table runs add column line uuid;
alter table runs add column executor text not null default 'shell';
alter table runs add column model jsonb;
alter table runs add column steps integer not null default 0;
alter table runs add column input_tokens bigint not null default 0;
alter table runs add column output_tokens bigint not null default 0;
alter table runs add column partial jsonb;

create table steps (
  workspace_id uuid not null,
  line uuid not null,
  -- Over all runs of the line, so that no step can be recorded twice.
  seq integer not null,
  run_id uuid not null,
  task_id uuid not null,
  kind text not null,
  model text,
  provider text,
  endpoint text,
  tool text,
  args text not null,
  result text not null,
  text text not null,
  success boolean not null,
  code text,
  usage jsonb,
  cost_microusd bigint not null default 0,
  ms double precision not null,
  -- What the step added to the conversation, whole: the conversation of a line is these, in order.
  messages jsonb not null,
  at timestamptz not null default clock_timestamp(),
  primary key (workspace_id, line, seq),
  foreign key (workspace_id, run_id) references runs (workspace_id, id)
);
create index steps_by_run on steps (run_id, workspace_id, seq);
call protect('steps', 'select, insert, delete', null);

-- Where the newest line of work of a task stands. A row exists only while a later run may go on with it.
create table checkpoints (
  workspace_id uuid not null,
  task_id uuid not null,
  line uuid not null,
  steps integer not null,
  state jsonb not null,
  base text,
  commit text,
  -- The files as a git bundle on top of base; null while they are as in the base.
  bundle bytea,
  at timestamptz not null default now(),
  primary key (workspace_id, task_id),
  foreign key (workspace_id, task_id) references tasks (workspace_id, id)
);
call protect('checkpoints', 'select, insert, update, delete', 'select, delete');
