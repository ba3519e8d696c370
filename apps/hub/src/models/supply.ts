import type { ChosenModel } from '@muster/contract/loop'
import type { Routing } from '@muster/contract/models'
import { viaOf, type Host } from './candidates.ts'
import { chooseModel, type Candidate, type WantedModel } from './route.ts'
import { sameModel } from './tiers.ts'

/** What there is to choose from in a workspace at one moment. */
export type Supply = {
  candidates: Candidate[]
  hosts: Host[]
  cloudAllowed: boolean
  waitMs: number
  prefer: string[]
  /** Where runs reach the hub's gateway; null while it has none. */
  gatewayUrl: string | null
}

export const noSupply: Supply = {
  candidates: [],
  hosts: [],
  cloudAllowed: false,
  waitMs: 0,
  prefer: [],
  gatewayUrl: null,
}

/** A task with a prompt, at one moment. */
export type Asking = WantedModel & { waitedMs: number; repoId: string }

// The prompt of the loop with its tools takes half of this; less is no room for work (design: an 8k window).
const minContext = 8_000

export type Routed = {
  model: ChosenModel
  routing: Routing
  endpointId: string
  /** The workers whose runs reach it. */
  workerIds: string[]
}

/**
 * The model for a task that these workers could run, or what is waited for. `running` and `affinity` are by endpoint, as
 * the round has filled them so far.
 */
export function routeTask(
  supply: Supply,
  asking: Asking,
  workerIds: string[],
  now: { running: ReadonlyMap<string, number>; affinity: ReadonlySet<string> },
): Routed | { waitingFor: string } {
  const via = (candidate: Candidate, workerId: string) => {
    const host = supply.hosts.find((each) => each.workerId === workerId) ?? { workerId, besideHub: false }
    return viaOf(candidate, host, supply.gatewayUrl !== null)
  }
  const reaching = (candidate: Candidate) => workerIds.filter((id) => via(candidate, id) !== null)
  const reachable = supply.candidates
    .filter((each) => reaching(each).length > 0)
    .map((each) => ({ ...each, running: now.running.get(each.endpointId) ?? 0 }))
  const around = { ...supply, waitedMs: asking.waitedMs, repoAffinity: now.affinity }
  const answer = chooseModel({ ...asking, minContext }, reachable, around)
  if ('waitingFor' in answer) {
    const beyond = reachable.length === 0 ? whyOutOfReach(supply, asking) : undefined
    return { waitingFor: beyond ?? answer.waitingFor }
  }
  const { chosen, tier, fallback, reason, costClass, candidates } = answer
  const direct = reaching(chosen).filter((id) => via(chosen, id) === 'direct')
  // A worker that needs no detour comes first.
  const ids = direct.length > 0 ? direct : reaching(chosen)
  return {
    model: chosenModel(chosen, direct.length > 0 ? null : supply.gatewayUrl),
    routing: { wanted: asking.tier, tier, fallback, reason, costClass, candidates },
    endpointId: chosen.endpointId,
    workerIds: ids,
  }
}

/** Memory grows with the window, and a model that says 128k fits no usual machine with it. */
const usualContext = { ollama: 8_192, openai: 128_000, anthropic: 200_000 }
const mostLocalContext = 32_768

function chosenModel(each: Candidate, gatewayUrl: string | null): ChosenModel {
  const context = each.contextTokens ?? usualContext[each.kind]
  return {
    name: each.model,
    provider: each.kind,
    endpoint: each.endpoint,
    url: gatewayUrl ?? each.url,
    via: gatewayUrl === null ? 'direct' : 'gateway',
    contextTokens: each.kind === 'ollama' ? Math.min(context, mostLocalContext) : context,
    costClass: each.cloud ? 'api' : 'local',
  }
}

/** There is one, and none of the workers that could run the task gets to it. */
function whyOutOfReach({ candidates, gatewayUrl }: Supply, asking: Asking): string | undefined {
  const named = asking.model ?? null
  const there = candidates.find((each) =>
    named === null ? each.tier === asking.tier : sameModel(each.model, named),
  )
  if (there === undefined) return undefined
  if (there.cloud && gatewayUrl === null) {
    return `the hub's gateway, which ${there.endpoint} is reached through and this version does not have`
  }
  return `a worker that reaches ${there.endpoint} (${there.url})`
}

/** What one worker could be given now, and after the wait; the statement that looks for tasks goes by it. */
export type Placeable = { tiers: string[]; lateTiers: string[]; models: string[] }

export function placeable(
  supply: Supply,
  workerId: string,
  now: { running: ReadonlyMap<string, number> },
): Placeable {
  const could = (asking: WantedModel, waitedMs: number) =>
    'model' in
    routeTask(supply, { ...asking, waitedMs, repoId: '' }, [workerId], {
      ...now,
      affinity: new Set<string>(),
    })
  const tiers = ['trivial', 'standard', 'complex'] as const
  const names = [...new Set(supply.candidates.map((each) => each.model))]
  return {
    tiers: tiers.filter((tier) => could({ tier }, 0)),
    lateTiers: tiers.filter((tier) => could({ tier }, Number.POSITIVE_INFINITY)),
    models: names.filter((model) => could({ tier: 'standard', model }, 0)).flatMap(spellings),
  }
}

/** As somebody may have written it. */
function spellings(name: string): string[] {
  return name.endsWith(':latest') ? [name, name.slice(0, -':latest'.length)] : [name]
}
