create table runs (
  workspace_id uuid not null,
  id uuid not null,
  task_id uuid not null,
  attempt integer not null,
  epoch integer not null,
  worker_id uuid not null,
  worker text not null,
  agent text not null,
  wall text not null,
  phase text,
  ending text,
  reason text,
  exit_code integer,
  base text,
  commit text,
  branch text,
  report jsonb,
  diff text,
  diff_truncated boolean not null default false,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (workspace_id, id),
  -- Not by the workspace first, see tasks_by_short.
  unique (task_id, epoch, workspace_id),
  foreign key (workspace_id, task_id) references tasks (workspace_id, id),
  check ((ending is null) = (ended_at is null))
) with (fillfactor = 60);
call protect('runs', 'select, insert, update, delete', 'select, insert, update');

-- The proof that a task is done; one for ever.
create table evidence (
  workspace_id uuid not null,
  task_id uuid not null,
  run_id uuid not null,
  commit text not null,
  report jsonb not null,
  at timestamptz not null default now(),
  primary key (workspace_id, task_id),
  foreign key (workspace_id, run_id) references runs (workspace_id, id)
);
call protect('evidence', 'select, insert', null);

create table run_output (
  workspace_id uuid not null,
  task_id uuid not null,
  seq bigint generated always as identity,
  run_id uuid not null,
  batch integer not null,
  part integer not null,
  stream text not null,
  text text not null,
  at timestamptz not null default clock_timestamp(),
  primary key (workspace_id, task_id, seq),
  -- A batch that a worker sends again after a lost connection is stored once.
  unique (workspace_id, run_id, batch, part),
  foreign key (workspace_id, run_id) references runs (workspace_id, id)
);
call protect('run_output', 'select, insert, delete', null);
