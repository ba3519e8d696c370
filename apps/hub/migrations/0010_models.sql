-- Where models are served. Keys of clouds are in the settings of the hub and never here.
create table endpoints (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  name text not null,
  kind text not null check (kind in ('ollama', 'openai', 'anthropic')),
  url text not null,
  source text not null check (source in ('manual', 'settings', 'worker')),
  -- Who announced it, with the name for people. The address may mean something else to everybody else.
  worker_id uuid,
  worker text,
  -- What is sent there leaves the machines of its owner.
  cloud boolean not null,
  -- Runs that use it at once, at most.
  run_limit integer not null default 4,
  -- Of a server that does not list its models.
  named_models text[] not null default '{}',
  health text not null default 'unknown' check (health in ('unknown', 'healthy', 'unhealthy')),
  health_since timestamptz not null default now(),
  failures integer not null default 0,
  error text,
  version text,
  checked_at timestamptz,
  -- Asked at once by whichever hub is next, whenever it was asked last.
  check_wanted boolean not null default false,
  -- A hub asks it now, until then at most.
  claimed_until timestamptz not null default '-infinity',
  -- The circuit breaker: how often in a row runs said that it fails, and until when it is given to none.
  trips integer not null default 0,
  paused_until timestamptz not null default '-infinity',
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, name),
  check ((source = 'worker') = (worker_id is not null))
);
-- One address is one endpoint; a worker's own address may read like everybody's.
create unique index endpoints_by_url on endpoints (workspace_id, kind, url) where worker_id is null;
create unique index endpoints_by_worker on endpoints (workspace_id, worker_id) where worker_id is not null;
call protect('endpoints', 'select, insert, update, delete', 'select, insert, update, delete');

create table endpoint_models (
  workspace_id uuid not null,
  endpoint_id uuid not null,
  name text not null,
  -- As the server lists them.
  place integer not null,
  -- What the server calls this very content; its details are asked for again only when that changes.
  digest text,
  context_tokens integer,
  capabilities text[],
  parameter_size text,
  quantization text,
  warm boolean not null,
  vram_bytes bigint,
  -- Its server passes what it is asked on to somebody else's.
  remote boolean not null,
  seen_at timestamptz not null default now(),
  primary key (workspace_id, endpoint_id, name),
  foreign key (workspace_id, endpoint_id) references endpoints (workspace_id, id) on delete cascade
);
call protect('endpoint_models', 'select, insert, update, delete', 'select, insert, update, delete');

-- What a person said a model is for, wherever it is served.
create table model_tiers (
  workspace_id uuid not null references workspaces (id),
  model text not null,
  tier text not null check (tier in ('trivial', 'standard', 'complex')),
  primary key (workspace_id, model)
);
call protect('model_tiers', 'select, insert, update, delete', null);

-- Without a row nothing leaves the machines of the owner.
create table model_settings (
  workspace_id uuid primary key references workspaces (id),
  cloud_allowed boolean not null default false
);
call protect('model_settings', 'select, insert, update', null);

-- How the machine of a worker does, as it last said, and when; older than 90 s it counts as not known.
alter table workers add column resources jsonb;
alter table workers add column resources_at timestamptz;

-- The endpoint that a leased task uses, so that none gets more runs than it may have.
alter table task_queue add column endpoint_id uuid;
