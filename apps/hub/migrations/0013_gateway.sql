-- The secret by which a run, and nobody else, uses the gateway to its model; only its hash is here, and it counts only
-- while the run is open.
alter table runs add column gateway_token_hash bytea;
-- What all runs of its task together may spend.
alter table runs add column budget_microusd bigint;
create unique index runs_by_gateway_token on runs (gateway_token_hash) where gateway_token_hash is not null;
