import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@muster/sdk/client'
import { readSessions, readStory } from './check/story.ts'
import { check, type Violation } from './check/checker.ts'
import { lossOf, slowestOf, type Loss } from './check/loss.ts'
import type { Struck } from './faults/fault.ts'
import { drain, outsideOf } from './settle.ts'
import { instant } from './clock.ts'
import type { Pair } from './faults/catalogue.ts'
import type { History } from './load/history.ts'
import { startLoad } from './load/load.ts'
import { sendStaleFinishes } from './load/stale-finishes.ts'
import { createRandom } from './random.ts'
import { branchesIn } from './rig/branches.ts'
import type { Reader } from './rig/reader.ts'
import type { HubSlot, Rig } from './rig/rig.ts'
import { commandOf } from './rig/stand-in.ts'
import { drainLimitMs } from './settings.ts'

export type Round = {
  number: number
  fault: string
  phase: string
  /** Tasks that were in the phase when the fault struck; for `idle`: how many were not. */
  hit: number
  isHit: boolean
  tasks: number
  runs: number
  /** From the fault's end, or from the kill, to the next task that was done. */
  recoveryMs: number | null
  /** When the struck worker's runs were known to be lost, if they were. */
  loss: Loss | null
  /** The steps of the task that ended last, when that was long after the fault. */
  slowest: string | null
  refusedStale: number
  /** Finishes that the double sent under old epochs, and those of them that were refused as such. */
  stale: { sent: number; refused: number }
  violations: Violation[]
  ms: number
}

const phaseWithinMs = 5_000
const slowMs = 6_000

/** One fault on live tasks, its end, everything brought to its end, and the checker over all of it. */
export async function playRound(
  { rig, reader, history }: { rig: Rig; reader: Reader; history: History },
  { number, pair, seed }: { number: number; pair: Pair; seed: number },
): Promise<Round> {
  const began = instant()
  const random = createRandom(seed)
  const { fault, phase } = pair
  const prefix = `round-${number}-`
  const isIdle = phase === 'idle'
  const load = () =>
    startLoad({
      urls: () => rig.hubs.map((hub) => hub.url),
      token: rig.token,
      random,
      history,
      prefix,
      burst: 14,
    })
  setLatencies(rig, random.between(0, 25), random.between(0, 25))
  let clients = isIdle ? undefined : load()
  const hub = random.pick(rig.hubs)
  if (phase === 'committing' || phase === 'event') {
    await sleep(random.between(50, 400))
    hub.watch.gate({ at: phase, side: random.pick(['before', 'after']) })
  }
  const stay = isIdle ? undefined : await rig.log.next(phase, phaseWithinMs)
  const worker = rig.workers.find((each) => each.name === stay?.who) ?? random.pick(rig.workers)
  const struck = await fault.strike({ rig, hub, worker, random, isIdle })
  hub.watch.release()
  clients ??= load()
  await sleep(struck.holdMs)
  await struck.heal()
  setLatencies(rig, 0, 0)
  const healed = instant()

  const violations: Violation[] = []
  const from = struck.countsFrom === 'strike' ? struck.at : healed
  const recoveredAt = await reader.firstDone(from, drainLimitMs)
  await clients.stop(drainLimitMs)
  violations.push(...(await drain(reader, prefix, healed)))
  const stale = await staleFinishes({ rig, reader, number })
  violations.push(...stale.taken.map((what) => ({ invariant: 'I-2', what: `a ${what} was taken` })))
  violations.push(...(stale.unanswered ?? []).map((what) => ({ invariant: 'R-7', what })))
  const story = await reader.ask((client) => readStory(client, prefix))
  const told = history.take()
  violations.push(...check(story, outsideOf(rig, story, told)))
  violations.push(...rig.accidents().map((what) => ({ invariant: 'R-7', what })))
  const wasFelt = struck.wasFelt?.() ?? true
  const hit = rig.log
    .during(phase, struck.at)
    .filter(
      (each) =>
        struck.victims === undefined ||
        isIdle ||
        each.who.startsWith('h') ||
        struck.victims.includes(each.who),
    ).length
  return {
    number,
    fault: fault.name,
    phase,
    hit,
    isHit: wasFelt && (isIdle ? hit === 0 : hit > 0),
    tasks: story.tasks.length,
    runs: story.runs.length,
    recoveryMs: recoveredAt === undefined ? null : Math.round(recoveredAt - from),
    loss: lossOf(story, heldBy(rig, struck), struck.at),
    slowest: slowestOf(story, { healed, limitMs: slowMs, except: `${prefix}stale-` }),
    refusedStale: story.events.filter((event) => event.kind === 'run.refused_stale').length,
    stale: { sent: stale.sent, refused: stale.refused },
    violations,
    ms: Math.round(instant() - began),
  }
}

/** What the struck workers held at that instant. */
function heldBy(rig: Rig, { victims = [], at }: Struck): { taskId: string; epoch: number }[] {
  const stays = rig.log.during('idle', at).filter((stay) => victims.includes(stay.who))
  return stays.map((stay) => {
    const [taskId = '', epoch] = stay.key.split(':')
    return { taskId, epoch: Number(epoch) }
  })
}

/** Some tasks of the round go to a double that takes them, loses them and reports them all the same. */
async function staleFinishes({ rig, reader, number }: { rig: Rig; reader: Reader; number: number }) {
  const prefix = `round-${number}-stale-`
  const url = (rig.hubs[0] as HubSlot).url
  const client = createClient({ origin: url, token: rig.token })
  const handIn = async () => {
    for (let at = 1; at <= 3; at++) {
      // Long enough for the next run to be under way when the first one's words come.
      const body = { repo: 'demo', title: `${prefix}${at}`, run: commandOf({ phaseMs: 150, passes: true }) }
      await client.call('createTask', { body, idempotencyKey: body.title })
    }
  }
  const stale = await sendStaleFinishes({
    url,
    token: rig.doubleToken,
    branches: branchesIn(rig.branchesDir),
    handIn,
    epochOf: async (task) => (await client.call('getTask', { params: { task } })).epoch,
  }).catch(async (error: Error) => {
    // The hub owes every message an answer; what it was waiting for then is what has to be known.
    const sessions = await reader.ask(readSessions)
    return { sent: 0, refused: 0, taken: [], unanswered: [error.message, ...sessions] }
  })
  await drain(reader, prefix, instant())
  return stale
}

/** A link as in a real network: what is sent arrives a moment later. */
function setLatencies(rig: Rig, up: number, down: number): void {
  for (const worker of rig.workers) worker.toHub.setLatency(up, down)
}
