import { setTimeout as sleep } from 'node:timers/promises'
import { readOpen, readStory, type Story } from './check/story.ts'
import { check, type Violation } from './check/checker.ts'
import { instant } from './clock.ts'
import type { Pair } from './faults/catalogue.ts'
import type { Struck } from './faults/fault.ts'
import type { History } from './load/history.ts'
import { startLoad } from './load/load.ts'
import { createRandom } from './random.ts'
import { branchesIn } from './rig/branches.ts'
import type { Reader } from './rig/reader.ts'
import type { Rig } from './rig/rig.ts'
import { drainLimitMs, orphanLimitMs } from './settings.ts'

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
  refusedStale: number
  violations: Violation[]
  ms: number
}

const phaseWithinMs = 5_000

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
  const struck = await strike(pair, { rig, hub, worker, random, isIdle })
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
  const story = await reader.ask((client) => readStory(client, prefix))
  const told = history.take()
  violations.push(...check(story, outsideOf(rig, story, told)))
  violations.push(...rig.accidents().map((what) => ({ invariant: 'R-7', what })))
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
    isHit: isIdle ? hit === 0 : hit > 0,
    tasks: story.tasks.length,
    runs: story.runs.length,
    recoveryMs: recoveredAt === undefined ? null : Math.round(recoveredAt - from),
    refusedStale: story.events.filter((event) => event.kind === 'run.refused_stale').length,
    violations,
    ms: Math.round(instant() - began),
  }
}

async function strike({ fault }: Pair, scene: Parameters<Pair['fault']['strike']>[0]): Promise<Struck> {
  const struck = fault.strike(scene)
  return struck
}

/** A link as in a real network: what is sent arrives a moment later. */
function setLatencies(rig: Rig, up: number, down: number): void {
  for (const worker of rig.workers) worker.toHub.setLatency(up, down)
}

/** Waits until every task of the round has ended. What does not end, or keeps a dead lease, is a violation. */
async function drain(reader: Reader, prefix: string, healed: number): Promise<Violation[]> {
  let longest = 0
  for (;;) {
    const { open, overdueMs } = await reader.ask((client) => readOpen(client, prefix))
    const since = instant() - healed
    if (since > orphanLimitMs) longest = Math.max(longest, overdueMs)
    if (open === 0 || since > drainLimitMs) {
      const stuck = open === 0 ? [] : [{ invariant: 'stuck', what: `${open} tasks did not end` }]
      const orphaned = longest > orphanLimitMs
      return orphaned ? [...stuck, { invariant: 'I-4', what: `a lease had ended ${longest} ms ago` }] : stuck
    }
    await sleep(60)
  }
}

function outsideOf(rig: Rig, story: Story, told: ReturnType<History['take']>) {
  const ids = new Set(story.tasks.map((task) => task.id))
  const branches = branchesIn(rig.branchesDir)
  return {
    told,
    effects: rig.effects().filter((effect) => ids.has(effect.taskId)),
    branchOf: (taskId: string) => branches.read(taskId).commit,
  }
}
