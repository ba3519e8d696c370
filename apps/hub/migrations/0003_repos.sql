create table repos (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  name text not null,
  url text not null,
  -- Only tasks of active repositories are assigned.
  active boolean not null default true,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, name)
);
call protect('repos', 'select, insert, update', 'select');
