-- Every table with a workspace_id is put behind row-level security by this one procedure, so that no table can
-- forget the policy's exact form. The sub-select makes PostgreSQL evaluate the setting once per statement.
-- app_rights and system_rights are lists as in GRANT; system_rights null keeps the loops that cross workspaces out.
create procedure protect(target regclass, app_rights text, system_rights text, tenant_column text default 'workspace_id')
language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy of_workspace on %1$s to muster_app
       using (%2$I = (select nullif(current_setting(''app.workspace_id'', true), '''')::uuid))
       with check (%2$I = (select nullif(current_setting(''app.workspace_id'', true), '''')::uuid))',
    target, tenant_column);
  execute format('grant %s on %s to muster_app', app_rights, target);
  if system_rights is not null then
    execute format('create policy of_system on %s to muster_system using (true) with check (true)', target);
    execute format('grant %s on %s to muster_system', system_rights, target);
  end if;
end $$;

create table workspaces (
  id uuid primary key,
  name text not null,
  created_at timestamptz not null default now()
);
call protect('workspaces', 'select', 'select, insert', 'id');

-- The outbox. (txid, seq) orders events so that a reader which stays below the oldest transaction still running
-- can never skip one that commits late; a sequence alone would let it.
create table events (
  workspace_id uuid not null,
  txid xid8 not null default pg_current_xact_id(),
  seq bigint generated always as identity,
  kind text not null,
  task_id uuid,
  run_id uuid,
  actor text not null,
  data jsonb not null,
  at timestamptz not null default clock_timestamp(),
  primary key (workspace_id, txid, seq)
);
create index events_by_task on events (workspace_id, task_id, txid, seq) where task_id is not null;
create index events_by_commit on events (txid, seq);
call protect('events', 'select, insert', 'select, insert');

-- One row per Idempotency-Key and actor: the answer is stored in the transaction of the effect.
create table idempotency_keys (
  workspace_id uuid not null,
  actor text not null,
  key text not null,
  request_hash bytea not null,
  response jsonb,
  created_at timestamptz not null default now(),
  primary key (workspace_id, actor, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
call protect('idempotency_keys', 'select, insert, update, delete', 'select, delete');
