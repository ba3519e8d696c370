create table repos (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  name text not null,
  url text not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, name)
);
call protect('repos', 'select, insert, update', 'select');
