-- What a call of a model costs where it differs from the built-in table: millionths of a US dollar per million tokens.
create table prices (
  workspace_id uuid not null,
  model text not null,
  input_microusd bigint not null check (input_microusd >= 0),
  output_microusd bigint not null check (output_microusd >= 0),
  cache_read_microusd bigint not null check (cache_read_microusd >= 0),
  cache_write_microusd bigint not null check (cache_write_microusd >= 0),
  set_at timestamptz not null default now(),
  primary key (workspace_id, model)
);
call protect('prices', 'select, insert, update, delete', null);

-- One row for each thing that may have a limit, from its first spending on. A reservation holds the rows of all its scopes,
-- always locked from the workspace down, so two of them never wait for each other in a ring.
create table budgets (
  workspace_id uuid not null,
  scope text not null check (scope in ('workspace', 'goal', 'task', 'run')),
  scope_id uuid not null,
  limit_microusd bigint check (limit_microusd >= 0),
  spent_microusd bigint not null default 0 check (spent_microusd >= 0),
  reserved_microusd bigint not null default 0 check (reserved_microusd >= 0),
  primary key (workspace_id, scope, scope_id)
);
call protect('budgets', 'select, insert, update, delete', 'select, update');

create table reservations (
  workspace_id uuid not null,
  id uuid not null,
  task_id uuid,
  run_id uuid,
  goal_id uuid,
  purpose text not null,
  agent text not null,
  model text not null,
  provider text not null,
  endpoint text not null,
  max_microusd bigint not null check (max_microusd >= 0),
  at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create index reservations_by_age on reservations (at);
call protect('reservations', 'select, insert, delete', 'select, delete');

-- The ledger: a call of a model, by whom and for what. Never changed.
create table calls (
  workspace_id uuid not null,
  id uuid not null,
  purpose text not null check (purpose in ('task', 'hub')),
  -- Of the hub's own calls: what it was doing.
  state text,
  task_id uuid,
  run_id uuid,
  agent text not null,
  model text not null,
  provider text not null,
  endpoint text not null,
  cost_class text not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  cache_read_tokens bigint not null,
  cache_write_tokens bigint not null,
  cost_microusd bigint not null,
  -- What a paid model would have cost.
  saved_microusd bigint not null,
  ok boolean not null,
  -- How it ended is not known: it counts with the most that it could have cost.
  is_maximum boolean not null default false,
  at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create index calls_by_time on calls (workspace_id, at);
call protect('calls', 'select, insert', 'select, insert');

alter table runs add column tier text;
alter table runs add column cost_microusd bigint not null default 0;
alter table runs add column saved_microusd bigint not null default 0;
