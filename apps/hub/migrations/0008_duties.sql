-- Who does the work that crosses workspaces and must happen once per tick (kernel/duty.ts). Of no workspace: only the
-- loops of the system read and write it.
create table duties (
  name text primary key,
  owner_hub uuid,
  -- Raised whenever another hub takes over: one hub per epoch.
  epoch integer not null default 0,
  lease_expires_at timestamptz not null default '-infinity'
);
grant select, insert, update on duties to muster_system;

-- The ledger: a tick that is here has happened, and its work was committed together with this row.
create table duty_firings (
  name text not null,
  tick bigint not null,
  hub uuid not null,
  epoch integer not null,
  fired_at timestamptz not null default clock_timestamp(),
  primary key (name, tick)
);
create index duty_firings_by_age on duty_firings (fired_at);
grant select, insert, delete on duty_firings to muster_system;
