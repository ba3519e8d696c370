import type { EndpointHealth, EndpointKind } from '@muster/contract/models'
import type { Tier } from '@muster/contract/task-states'
import type { Tx } from '../kernel/db.ts'
import type { Found } from '@muster/llm/discover/ask'

export type EndpointRow = {
  workspace_id: string
  id: string
  name: string
  kind: EndpointKind
  url: string
  source: 'manual' | 'settings' | 'worker'
  worker_id: string | null
  worker: string | null
  cloud: boolean
  run_limit: number
  named_models: string[]
  health: EndpointHealth
  failures: number
  error: string | null
  version: string | null
  checked_at: Date | null
  /** Pauses in a row; none when the last one is long over. */
  trips: number
  /** Null unless it is ahead. */
  paused_until: Date | null
  /** How long its health is what it is, in ms. */
  health_ms: number
  created_at: Date
}

export type ModelRow = {
  endpoint_id: string
  name: string
  digest: string | null
  context_tokens: number | null
  capabilities: string[] | null
  parameter_size: string | null
  quantization: string | null
  warm: boolean
  vram_bytes: string | null
  remote: boolean
  seen_at: Date
  tier: Tier | null
}

const columns = `workspace_id, id, name, kind, url, source, worker_id, worker, cloud, run_limit, named_models, health,
  failures, error, version, checked_at,
  case when paused_until > now() - interval '10 minutes' then trips else 0 end as trips, case when paused_until > now() then paused_until end as paused_until,
  (extract(epoch from now() - health_since) * 1000)::float8 as health_ms, created_at`

export function list(tx: Tx): Promise<EndpointRow[]> {
  return tx.query<EndpointRow>({
    name: 'endpoints_list',
    text: `select ${columns} from endpoints order by name limit 1000`,
  })
}

export function listModels(tx: Tx): Promise<ModelRow[]> {
  return tx.query<ModelRow>({
    name: 'endpoint_models_list',
    text: `select endpoint_id, name, digest, context_tokens, capabilities, parameter_size, quantization, warm,
             vram_bytes, remote, seen_at, (select t.tier from model_tiers t where t.model = name) as tier
           from endpoint_models order by endpoint_id, place`,
  })
}

/** By name or by id; a name has no form of an id. */
export async function find(tx: Tx, ref: string): Promise<EndpointRow | undefined> {
  const text = `select ${columns} from endpoints where name = $1 or id::text = $1`
  return (await tx.query<EndpointRow>(text, [ref]))[0]
}

/** By name or by id, too. */
export async function lock(tx: Tx, ref: string): Promise<EndpointRow | undefined> {
  const text = `select ${columns} from endpoints where name = $1 or id::text = $1 for update`
  return (await tx.query<EndpointRow>(text, [ref]))[0]
}

export type NewEndpoint = Pick<
  EndpointRow,
  'id' | 'name' | 'kind' | 'url' | 'source' | 'worker_id' | 'worker' | 'cloud' | 'run_limit' | 'named_models'
>

/** Undefined when something in the way was there first. */
export async function insert(
  tx: Tx,
  workspaceId: string,
  made: NewEndpoint,
): Promise<EndpointRow | undefined> {
  const rows = await tx.query<EndpointRow>(
    `insert into endpoints (workspace_id, id, name, kind, url, source, worker_id, worker, cloud, run_limit, named_models)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing returning ${columns}`,
    [
      workspaceId,
      made.id,
      made.name,
      made.kind,
      made.url,
      made.source,
      made.worker_id,
      made.worker,
      made.cloud,
      made.run_limit,
      made.named_models,
    ],
  )
  return rows[0]
}

export async function remove(tx: Tx, id: string): Promise<void> {
  await tx.query('delete from endpoints where id = $1', [id])
}

export async function move(tx: Tx, id: string, to: { url: string; cloud: boolean }): Promise<void> {
  await tx.query('update endpoints set url = $2, cloud = $3 where id = $1', [id, to.url, to.cloud])
}

/** What a check or a report found. */
export async function setHealth(
  tx: Tx,
  id: string,
  now: { health: EndpointHealth; failures: number; error: string | null; version: string | null },
): Promise<void> {
  await tx.query(
    `update endpoints set health = $2, failures = $3, error = $4, version = coalesce($5, version), checked_at = now(),
       check_wanted = false, claimed_until = '-infinity',
       health_since = case when health = $2 then health_since else now() end
     where id = $1`,
    [id, now.health, now.failures, now.error, now.version],
  )
}

/** The models of an endpoint are these and no others. */
export async function setModels(
  tx: Tx,
  at: { workspaceId: string; id: string },
  models: Found[],
): Promise<void> {
  await tx.query('delete from endpoint_models where endpoint_id = $1 and name <> all($2)', [
    at.id,
    models.map((model) => model.name),
  ])
  if (models.length === 0) return
  await tx.query(
    `insert into endpoint_models (workspace_id, endpoint_id, place, name, digest, context_tokens, capabilities,
       parameter_size, quantization, warm, vram_bytes, remote)
     select $1, $2, m.ordinality, m.name, m.digest, m."contextTokens", m.capabilities, m."parameterSize", m.quantization,
       m.warm, m."vramBytes", m.remote
     from rows from (jsonb_to_recordset($3::jsonb) as (name text, digest text, "contextTokens" integer,
       capabilities text[], "parameterSize" text, quantization text, warm boolean, "vramBytes" bigint, remote boolean))
       with ordinality as m
     on conflict (workspace_id, endpoint_id, name) do update set place = excluded.place, digest = excluded.digest,
       context_tokens = excluded.context_tokens, capabilities = excluded.capabilities,
       parameter_size = excluded.parameter_size, quantization = excluded.quantization, warm = excluded.warm,
       vram_bytes = excluded.vram_bytes, remote = excluded.remote, seen_at = now()`,
    [at.workspaceId, at.id, JSON.stringify(models)],
  )
}

export async function setTier(tx: Tx, workspaceId: string, model: string, tier: Tier | null): Promise<void> {
  if (tier === null) return void (await tx.query('delete from model_tiers where model = $1', [model]))
  await tx.query(
    `insert into model_tiers (workspace_id, model, tier) values ($1, $2, $3)
     on conflict (workspace_id, model) do update set tier = excluded.tier`,
    [workspaceId, model, tier],
  )
}

export async function isCloudAllowed(tx: Tx): Promise<boolean> {
  const rows = await tx.query<{ cloud_allowed: boolean }>({
    name: 'model_settings_cloud',
    text: 'select cloud_allowed from model_settings',
  })
  return rows[0]?.cloud_allowed === true
}

export async function allowCloud(tx: Tx, workspaceId: string, allowed: boolean): Promise<void> {
  await tx.query(
    `insert into model_settings (workspace_id, cloud_allowed) values ($1, $2)
     on conflict (workspace_id) do update set cloud_allowed = excluded.cloud_allowed`,
    [workspaceId, allowed],
  )
}

/** Runs said that it fails. It is asked at once how it is, too. */
export async function pause(tx: Tx, id: string, now: { trips: number; ms: number }): Promise<void> {
  await tx.query(
    `update endpoints set trips = $2, check_wanted = source <> 'worker', health_since = now(),
       paused_until = now() + make_interval(secs => $3::float8 / 1000)
     where id = $1`,
    [id, now.trips, now.ms],
  )
}

export function toFound(row: ModelRow): Found {
  return {
    name: row.name,
    digest: row.digest,
    contextTokens: row.context_tokens,
    capabilities: row.capabilities,
    parameterSize: row.parameter_size,
    quantization: row.quantization,
    warm: row.warm,
    vramBytes: row.vram_bytes === null ? null : Number(row.vram_bytes),
    remote: row.remote,
  }
}
