create table tasks (
  workspace_id uuid not null,
  id uuid not null,
  short text not null generated always as (right(id::text, 8)) stored,
  repo_id uuid not null,
  repo text not null,
  title text not null,
  description text,
  spec jsonb not null,
  lane smallint not null,
  tier text not null,
  -- What the words of the task suggest, whatever was asked for.
  guessed_tier text not null,
  state text not null check (state in ('draft', 'queued', 'waiting', 'assigned', 'running', 'verifying', 'review',
                                       'done', 'dead', 'cancelled')),
  ending text,
  reason text,
  -- Raised by every assignment and by every end that a worker did not report itself: the fence.
  epoch integer not null default 0,
  attempt integer not null default 0,
  -- Runs whose worker vanished; bounded apart from attempts, because the task is not to blame.
  losses integer not null default 0,
  -- Failed runs, of which the first `retries` are tried again.
  failures integer not null default 0,
  retries integer not null,
  -- The only worker that may run it, by name.
  only_worker text,
  complete_by timestamptz,
  -- The last assignment explained.
  decision jsonb,
  phase text,
  worker_id uuid,
  worker text,
  run_id uuid,
  branch text,
  commit text,
  checks jsonb not null default '[]',
  proof jsonb,
  created_by text not null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  deadline_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, repo_id) references repos (workspace_id, id),
  check ((state in ('done', 'dead', 'cancelled')) = (ended_at is not null)),
  check (state <> 'done' or (ending = 'verified' and commit is not null))
) with (fillfactor = 60);
-- Room in each page and no index on what a run changes: then its updates touch no index (HOT). So no index, and no
-- condition of one, names the state.
--
-- Only the key begins with the workspace. Of two indexes that do, PostgreSQL takes either for a row that is named by
-- more, as long as it has not counted the table, and reads the whole workspace for it (measured: 3,000 rows for each
-- check of a foreign key; a plan that was made then is kept).
create index tasks_by_short on tasks (short, workspace_id);
create index tasks_due on tasks (complete_by) where complete_by is not null and ended_at is null;
create index tasks_dead on tasks (id, workspace_id) where ending <> 'verified';
call protect('tasks', 'select, insert, update, delete', 'select, update');

-- What people set for the queue of a workspace; without a row nothing is paused.
create table queue_settings (
  workspace_id uuid primary key references workspaces (id),
  paused boolean not null default false
);
call protect('queue_settings', 'select, insert, update', 'select');

-- A row exists only while a task waits for a worker or is leased to one, so a claim does not slow down with history.
create table task_queue (
  workspace_id uuid not null,
  task_id uuid not null,
  repo_id uuid not null,
  lane smallint not null,
  enqueued_at timestamptz not null default clock_timestamp(),
  -- Since when it is in this lane, and whether it was moved there because others wait for it.
  lane_since timestamptz not null default clock_timestamp(),
  raised_for_others boolean not null default false,
  not_before timestamptz not null default '-infinity',
  wall text not null,
  needs text[] not null default '{}',
  only_worker uuid,
  timeout_ms integer not null,
  -- Unclaimed by then, it is dead.
  expires_at timestamptz,
  -- Not done by then, it is dead.
  complete_by timestamptz,
  epoch integer not null,
  worker_id uuid,
  assigned_at timestamptz,
  accepted_at timestamptz,
  lease_expires_at timestamptz,
  deadline_at timestamptz,
  -- When its run last said anything about the work, and whether people were told that it is quiet.
  progress_at timestamptz,
  quiet_told boolean not null default false,
  primary key (workspace_id, task_id),
  foreign key (workspace_id, task_id) references tasks (workspace_id, id),
  check ((worker_id is null) = (lease_expires_at is null))
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
create index task_queue_ready on task_queue (workspace_id, lane, enqueued_at, task_id) where worker_id is null;
-- Not by the end of the lease: every renewal would have to write it. There are never more than run at once.
create index task_queue_leased on task_queue (workspace_id, worker_id) where worker_id is not null;
create index task_queue_due on task_queue (least(expires_at, complete_by))
  where expires_at is not null or complete_by is not null;
call protect('task_queue', 'select, insert, update, delete', 'select, insert, update, delete');

-- A task may wait only for tasks that existed when it was made, so the graph cannot have a cycle.
create table task_dependencies (
  workspace_id uuid not null,
  task_id uuid not null,
  needs_id uuid not null,
  primary key (task_id, needs_id, workspace_id),
  foreign key (workspace_id, task_id) references tasks (workspace_id, id),
  foreign key (workspace_id, needs_id) references tasks (workspace_id, id)
);
create index task_dependencies_by_needs on task_dependencies (needs_id, workspace_id);
call protect('task_dependencies', 'select, insert, delete', 'select');
