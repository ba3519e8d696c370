import type { EndpointHealth, EndpointKind } from '@muster/contract/models'
import type { Tier } from '@muster/contract/task-states'
import type { Resources } from '@muster/contract/workers'
import { sameModel } from './tiers.ts'

/**
 * Which model a task gets (SCHED-03 to SCHED-06, SCHED-13).
 *
 * In come what the task wants and every model of every endpoint that its worker could ask; out comes one of them with the
 * reason, or what is waited for. Nothing is remembered and no clock is read: the same facts give the same answer.
 *
 *   unfit     the endpoint is not healthy or is paused, what is sent there would leave the machines of the owner and the
 *             workspace forbids that or nobody knows what it costs, or the model cannot call tools or reads too little. Never chosen (whyUnfit).
 *   busy      the endpoint has as many runs as it may. That is a turn to wait for and no reason for another tier: a queue
 *             before the right model is better than the wrong model.
 *   a tier    has no endpoint when nothing fit serves it. After `waitMs` of that one step along trivial, standard,
 *             complex is taken, upwards first, because a stronger model does what a weaker one would.
 *   a name    that the task gives is kept: there is no fallback from it.
 *
 * Among those left: one's own machines before somebody who is paid; what the settings prefer; the cheaper one; the score of
 * the machine; the larger model; the one with fewer runs; then by name.
 */
export type WantedModel = { tier: Tier; model?: string | null; minContext?: number }

export type Candidate = {
  endpointId: string
  endpoint: string
  kind: EndpointKind
  url: string
  cloud: boolean
  /** Of a million tokens in and out, in one unit; 0 for what is not paid, null where nobody knows it. */
  price: number | null
  health: EndpointHealth
  /** How long its health is what it is, or its pause lasts already. */
  stateMs: number
  error: string | null
  paused: boolean
  running: number
  limit: number
  model: string
  tier: Tier
  contextTokens: number | null
  /** Null where the server does not say. */
  capabilities: string[] | null
  billions: number | null
  warm: boolean
  /** Of the machine that serves it, where that is known. */
  host: Resources | null
  /** The only worker that its address means something to. */
  onlyWorkerId: string | null
  /** Its address means the machine of the hub to the hub, and another one to other machines. */
  besideHub: boolean
}

export type Around = {
  /** Since the task could be assigned. */
  waitedMs: number
  /** How long the wait for the own tier is. */
  waitMs: number
  cloudAllowed: boolean
  /** Preferred among equals, the first most. */
  prefer: string[]
  /** Ids of endpoints that work on the same repository. */
  repoAffinity: ReadonlySet<string>
}

export type Chosen = {
  chosen: Candidate
  tier: Tier
  fallback: { from: Tier; why: string } | null
  reason: string
  candidates: { endpoint: string; model: string; score: number; why: string }[]
  costClass: 'local' | 'api'
}

export function chooseModel(
  wanted: WantedModel,
  candidates: Candidate[],
  around: Around,
): Chosen | { waitingFor: string } {
  const named = wanted.model ?? null
  const pool = named === null ? candidates : candidates.filter((each) => sameModel(each.model, named))
  const fit = pool.filter((each) => whyUnfit(each, wanted, around) === undefined)
  const own = named === null ? fit.filter((each) => each.tier === wanted.tier) : fit
  const best = bestOf(own, around)
  if (best !== undefined) return choose(wanted, best, pool, { around, fallback: null })
  if (own.length > 0) return { waitingFor: isBusy(own) }
  if (named !== null) return { waitingFor: whyNotNamed(named, pool, wanted, around) }

  const absentMs = absence(wanted.tier, pool, around.waitedMs)
  const others = neighbours[wanted.tier].flatMap((tier) => {
    const found = bestOf(
      fit.filter((each) => each.tier === tier),
      around,
    )
    return found === undefined ? [] : [found]
  })
  if (others[0] === undefined) return { waitingFor: whyNoTier(wanted, candidates, around) }
  if (absentMs < around.waitMs) {
    const left = Math.ceil((around.waitMs - absentMs) / 1_000)
    return { waitingFor: `an endpoint with a ${wanted.tier} model; another tier is tried in ${left} s` }
  }
  const why = `the ${wanted.tier} tier had no endpoint for ${Math.floor(around.waitMs / 1_000)} s`
  return choose(wanted, others[0], pool, { around, fallback: { from: wanted.tier, why } })
}

/** One step each, upwards first. */
const neighbours: Record<Tier, Tier[]> = {
  trivial: ['standard'],
  standard: ['complex', 'trivial'],
  complex: ['standard'],
}

/** Why no task gets this model, whoever is free; undefined when nothing is in the way. */
export function whyUnfit(
  each: Candidate,
  { minContext = 0 }: Pick<WantedModel, 'minContext'>,
  { cloudAllowed }: Pick<Around, 'cloudAllowed'>,
): string | undefined {
  if (each.cloud && !cloudAllowed) return 'tasks may not leave for the cloud ("npx muster model cloud allow")'
  if (each.price === null)
    return `its price is not known ("npx muster cost price set ${each.model} INPUT OUTPUT")`
  if (each.health === 'unknown') return each.error ?? 'its endpoint was not asked yet'
  if (each.health === 'unhealthy') return `its endpoint is unhealthy: ${each.error ?? 'no answer'}`
  if (each.paused) return 'its endpoint failed runs and is paused'
  if (each.capabilities !== null && !each.capabilities.includes('tools')) return 'it cannot call tools'
  if (each.contextTokens !== null && each.contextTokens < minContext) {
    return `it reads ${each.contextTokens} tokens and ${minContext} are needed`
  }
  return undefined
}

const isFree = (each: Candidate) => each.running < each.limit

function bestOf(fit: Candidate[], around: Around): Candidate | undefined {
  return fit.filter(isFree).toSorted(inOrder(around))[0]
}

function inOrder(around: Around): (a: Candidate, b: Candidate) => number {
  return (a, b) =>
    Number(a.cloud) - Number(b.cloud) ||
    preference(a, around) - preference(b, around) ||
    (a.price ?? 0) - (b.price ?? 0) ||
    scoreOf(b, around) - scoreOf(a, around) ||
    (b.billions ?? 0) - (a.billions ?? 0) ||
    a.running - b.running ||
    compare(a.endpoint, b.endpoint) ||
    compare(a.model, b.model)
}

function preference({ model }: Candidate, { prefer }: Around): number {
  const at = prefer.findIndex((name) => sameModel(name, model))
  return at === -1 ? prefer.length : at
}

const referenceRamBytes = 16e9
const gib = 2 ** 30

/** SCHED-04. A machine that says nothing counts as half busy, of the size of the reference. */
export function scoreOf(each: Candidate, { repoAffinity }: Pick<Around, 'repoAffinity'>): number {
  const { host } = each
  const cpu = host === null ? 0.5 : 1 - host.cpuPercent / 100
  const ram = host === null ? 1 : Math.min(host.ramTotalBytes / referenceRamBytes, 1.5)
  const { vramTotalBytes: total = null, vramFreeBytes: free = null } = host ?? {}
  const vram = total === null || free === null || total < gib ? 0.9 : 0.8 + 0.2 * Math.min(free / total, 1)
  return cpu * ram * vram * (each.warm ? 1.15 : 1) * (repoAffinity.has(each.endpointId) ? 1.05 : 1)
}

const shownCandidates = 10

function choose(
  wanted: WantedModel,
  chosen: Candidate,
  pool: Candidate[],
  { around, fallback }: { around: Around; fallback: Chosen['fallback'] },
): Chosen {
  const why = (each: Candidate) =>
    whyUnfit(each, wanted, around) ??
    (isFree(each) ? whyBehind(each, chosen) : `has ${each.running} of ${each.limit} runs`)
  const rank = (each: Candidate) =>
    each === chosen ? 0 : whyUnfit(each, wanted, around) === undefined ? 1 : 2
  const order = inOrder(around)
  return {
    chosen,
    tier: chosen.tier,
    fallback,
    reason: reasonFor(wanted, chosen, fallback),
    costClass: chosen.cloud ? 'api' : 'local',
    candidates: pool
      .toSorted((a, b) => rank(a) - rank(b) || order(a, b))
      .slice(0, shownCandidates)
      .map((each) => ({
        endpoint: each.endpoint,
        model: each.model,
        score: Math.round(scoreOf(each, around) * 1_000) / 1_000,
        why: each === chosen ? 'chosen' : why(each),
      })),
  }
}

function whyBehind(each: Candidate, chosen: Candidate): string {
  if (each.tier !== chosen.tier) return `is for ${each.tier} tasks`
  if (each.cloud && !chosen.cloud) return 'costs money'
  return (each.price ?? 0) > (chosen.price ?? 0) ? 'costs more' : 'scored less, or came later'
}

function reasonFor(
  wanted: WantedModel,
  { model, endpoint, cloud, warm, host }: Candidate,
  fallback: Chosen['fallback'],
) {
  const facts = [
    cloud ? 'in the cloud' : warm ? 'warm' : 'cold',
    ...(host === null ? [] : [`${Math.round(100 - host.cpuPercent)} % CPU free`]),
    ...((wanted.model ?? null) === null ? [] : ['the task names it']),
  ]
  return `${model} on ${endpoint}: ${facts.join(', ')}${fallback === null ? '' : `; ${fallback.why}`}`
}

/** How long the tier has had no endpoint: no longer than the task waits, and than the last one of it is gone. */
function absence(tier: Tier, pool: Candidate[], waitedMs: number): number {
  const gone = pool.filter((each) => each.tier === tier && (each.health !== 'healthy' || each.paused))
  return Math.min(waitedMs, ...gone.map((each) => each.stateMs))
}

function isBusy(own: Candidate[]): string {
  const [first] = own
  const names = new Set(own.map((each) => each.endpoint))
  if (first !== undefined && names.size === 1) {
    return `a turn on ${first.endpoint}, which has ${first.running} of at most ${first.limit} runs`
  }
  return `a turn: all ${names.size} endpoints that could do it have as many runs as they may`
}

function whyNotNamed(name: string, pool: Candidate[], wanted: WantedModel, around: Around): string {
  const [first] = pool
  if (first === undefined) return `the model ${name}, which no endpoint has; for Ollama: ollama pull ${name}`
  return `the model ${name} on ${first.endpoint}: ${whyUnfit(first, wanted, around) ?? ''}`
}

function whyNoTier(wanted: WantedModel, candidates: Candidate[], around: Around): string {
  const { tier } = wanted
  const near = candidates.filter((each) => each.tier === tier || neighbours[tier].includes(each.tier))
  const busy = near.filter((each) => whyUnfit(each, wanted, around) === undefined)
  if (busy.length > 0) return isBusy(busy)
  const closest = near.find((each) => each.tier === tier) ?? near[0]
  if (closest === undefined) return `a model for ${tier} tasks; no endpoint has one (npx muster model list)`
  return `a model for ${tier} tasks; ${closest.model} on ${closest.endpoint}: ${whyUnfit(closest, wanted, around)}`
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
