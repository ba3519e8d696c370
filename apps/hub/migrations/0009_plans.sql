-- Where many rows are named by their keys (tasks/sql/fence.ts), no other index may look as good while PostgreSQL believes that
-- a table has no rows: so only the key of a table names the workspace, unless it is what the rows are looked for by.
-- Short names are unique all but always, and row-level security hides those of others.
drop index tasks_by_short, tasks_dead;
create index tasks_by_short on tasks (short);
create index tasks_dead on tasks (id) where ending <> 'verified';

-- Ids of tasks are the hub's own and unique without the workspace; that a run is of its workspace's task is the foreign
-- key's to hold.
alter table runs drop constraint runs_task_id_epoch_workspace_id_key;
alter table runs add unique (task_id, epoch);
