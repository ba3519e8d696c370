import type { Endpoint, EndpointModel } from '@muster/contract/models'
import type { Resources, Supervisor } from '@muster/contract/workers'
import { isLoopback } from './address.ts'
import { whyUnfit, type Candidate } from './route.ts'
import type { EndpointRow, ModelRow } from './store.ts'
import { billionsOf, tierBySize } from './tiers.ts'

/** The machine of a worker. */
export type Host = { workerId: string; host: string | null; besideHub: boolean; resources: Resources | null }

/** In one unit, whichever; undefined for a model that has none. */
export type Prices = (model: string) => { input: number; output: number } | undefined

/** Of a million tokens each way: which one a task will need more of is not known before. */
function priceIn(price: ReturnType<Prices>): number | null {
  return price === undefined ? null : price.input + price.output
}

/** `hubHost`: the name of the machine of the hub. A worker says its own first, and more about it behind that. */
export function hostOf(
  worker: { id: string; host: string | null; supervisor: Supervisor | null; resources: Resources | null },
  hubHost: string,
): Host {
  const host = worker.host?.split(' ')[0]?.toLowerCase() ?? null
  // The worker of `up` is on the machine of its hub by definition.
  const besideHub = worker.supervisor?.kind === 'up' || host === hubHost.toLowerCase()
  return { workerId: worker.id, host, besideHub, resources: worker.resources }
}

/**
 * How the runs of a worker reach a model; null where they cannot. What is paid, and what only the hub can reach, goes
 * through the hub, which has the key and the budget.
 */
export function viaOf(
  { onlyWorkerId, cloud, besideHub }: Candidate,
  worker: Pick<Host, 'workerId' | 'besideHub'>,
  hasGateway: boolean,
): 'direct' | 'gateway' | null {
  // Not even the hub gets there.
  if (onlyWorkerId !== null) return onlyWorkerId === worker.workerId ? 'direct' : null
  if (!cloud && (!besideHub || worker.besideHub)) return 'direct'
  return hasGateway ? 'gateway' : null
}

/** A model with its endpoint, as routing looks at it. */
export function candidateOf(
  endpoint: EndpointRow,
  model: ModelRow,
  { running, hosts, prices }: { running: number; hosts: Host[]; prices: Prices },
): Candidate {
  const cloud = endpoint.cloud || model.remote
  const billions = billionsOf(model.parameter_size, model.name)
  return {
    endpointId: endpoint.id,
    endpoint: endpoint.name,
    kind: endpoint.kind,
    url: endpoint.url,
    cloud,
    price: cloud ? priceIn(prices(model.name)) : 0,
    health: endpoint.health,
    stateMs: endpoint.health_ms,
    error: endpoint.error,
    paused: endpoint.paused_until !== null,
    running,
    limit: endpoint.run_limit,
    model: model.name,
    tier: model.tier ?? tierBySize(billions, cloud),
    contextTokens: model.context_tokens,
    capabilities: model.capabilities,
    billions,
    warm: model.warm,
    host: hosts.find((host) => serves(host, endpoint))?.resources ?? null,
    onlyWorkerId: isLoopback(endpoint.url) ? endpoint.worker_id : null,
    besideHub: isLoopback(endpoint.url) && endpoint.worker_id === null,
  }
}

/** Whether this machine is the one that the endpoint is on, as far as that can be told. */
function serves({ workerId, host, besideHub }: Host, { worker_id, url }: EndpointRow): boolean {
  if (worker_id !== null) return worker_id === workerId
  if (isLoopback(url)) return besideHub
  return host !== null && new URL(url).hostname === host
}

/** Endpoints with their models as people see them. */
export function shown(
  endpoints: EndpointRow[],
  models: ModelRow[],
  policy: { cloudAllowed: boolean; prices: Prices },
): Endpoint[] {
  return endpoints.map((row) => ({
    id: row.id,
    name: row.name,
    kind: row.kind,
    url: row.url,
    source: row.source,
    worker: row.worker,
    cloud: row.cloud,
    limit: row.run_limit,
    health: row.health,
    failures: row.failures,
    error: row.error,
    version: row.version,
    checkedAt: row.checked_at?.toISOString() ?? null,
    pausedUntil: row.paused_until?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    models: models
      .filter((model) => model.endpoint_id === row.id)
      .map((model) => shownModel(row, model, policy)),
  }))
}

function shownModel(
  endpoint: EndpointRow,
  model: ModelRow,
  { cloudAllowed, prices }: { cloudAllowed: boolean; prices: Prices },
): EndpointModel {
  const candidate = candidateOf(endpoint, model, { running: 0, hosts: [], prices })
  return {
    name: model.name,
    endpoint: endpoint.name,
    tier: candidate.tier,
    tierByHand: model.tier !== null,
    warm: model.warm,
    cloud: candidate.cloud,
    contextTokens: model.context_tokens,
    capabilities: model.capabilities,
    parameterSize: model.parameter_size,
    quantization: model.quantization,
    vramBytes: model.vram_bytes === null ? null : Number(model.vram_bytes),
    unfit: whyUnfit(candidate, {}, { cloudAllowed }) ?? null,
    seenAt: model.seen_at.toISOString(),
  }
}
