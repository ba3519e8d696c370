create table workers (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  name text not null,
  instance text,
  client text,
  version text,
  host text,
  slots integer not null default 0,
  capabilities text[] not null default '{}',
  walls jsonb not null default '[]',
  -- Who runs it and why it takes no work, as it last said.
  supervisor jsonb,
  blocked jsonb,
  -- An order that it has not answered; the hub that holds its socket passes it on. Older than 10 s it is void.
  restart_order jsonb,
  restart_ordered_at timestamptz,
  -- From its announcement until its next hello.
  restarting boolean not null default false,
  -- Follows from the columns here and from the leases it holds; every change of it is an event.
  state text not null default 'offline' check (state in ('offline', 'idle', 'assigned', 'working', 'blocked')),
  -- The hub process that holds the socket now; null while the worker is away.
  connected_hub uuid,
  last_seen_at timestamptz,
  -- Why it gets no new task; null while it does.
  cordoned text,
  -- When it last let an assignment pass unaccepted; null again once it takes one.
  flagged_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, name)
);
call protect('workers', 'select, insert, update', 'select, insert, update');
