create table people (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  name text not null,
  password text,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
call protect('people', 'select, update', 'select, insert');

-- Secrets are 256 random bits, so a plain SHA-256 of them is enough and can be looked up by an index.
create table tokens (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  kind text not null check (kind in ('person', 'worker')),
  name text not null,
  hash bytea not null unique,
  person_id uuid,
  worker_id uuid,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, person_id) references people (workspace_id, id),
  check ((kind = 'person') = (person_id is not null) and (kind = 'worker') = (worker_id is not null))
);
call protect('tokens', 'select, insert, update', 'select, insert, update');

create table sessions (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  hash bytea not null unique,
  person_id uuid not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, person_id) references people (workspace_id, id)
);
call protect('sessions', 'select, insert, update', 'select, insert, update');

create table sign_in_links (
  workspace_id uuid not null references workspaces (id),
  hash bytea not null unique,
  person_id uuid not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (workspace_id, hash),
  foreign key (workspace_id, person_id) references people (workspace_id, id)
);
call protect('sign_in_links', 'select, insert', 'select, insert, update');
