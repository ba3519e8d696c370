import type { HubMessage, WorkerMessage } from '@muster/contract/wire'
import type { Blocked } from '@muster/contract/workers'
import { carry, deliverResult, refuse } from './carry.ts'
import { holdRun, keyOf, stopRun, type HeldRun } from './held-run.ts'
import type { Push } from './connection.ts'
import { createHolding } from './holding.ts'
import type { HubLink } from './hub-link.ts'
import type { Journal } from './journal.ts'
import { createLeaseKeeper } from './leases.ts'
import type { Log } from './log.ts'
import type { Runner } from './runner.ts'
import { createSlots } from './slots.ts'
import { takeMessage } from './take-message.ts'

type Welcome = Extract<HubMessage, { type: 'welcome' }>
type Hello = Omit<Extract<WorkerMessage, { type: 'hello' }>, 'id'>

/** A worker: takes assignments, keeps their leases, runs them (carry.ts), and obeys the hub about what it holds. */
export function createWorker(deps: {
  link: () => HubLink
  journal: Journal
  runner: Runner
  log: Log
  identity: Pick<Hello, 'instance' | 'client' | 'version' | 'host' | 'slots' | 'capabilities'>
  condition: () => Pick<Hello, 'walls' | 'supervisor' | 'blocked'>
  recheckWalls: () => void
  /** Looks anew whether there is room for work. */
  room: () => Promise<Blocked | null>
  wake: (run: HeldRun) => Promise<string | null>
  now: () => number
}) {
  const { journal, log } = deps
  const { held, hold, ...holding } = createHolding(log)
  const undelivered: HeldRun[] = []
  let saidHello = 0
  const closing = new AbortController()
  let isDraining = false
  const leases = createLeaseKeeper({ held, link: deps.link, log, now: deps.now })
  const work = { ...deps, slots: createSlots(deps.identity.slots), closing: closing.signal }

  return {
    hello: (): Hello => {
      saidHello = deps.now()
      return {
        type: 'hello',
        wire: 1,
        ...deps.identity,
        ...deps.condition(),
        holding: [...held.values()].map(asHeld),
      }
    },

    onWelcome(welcome: Welcome): void {
      leases.start(welcome.leaseMs)
      for (const run of undelivered.splice(0)) {
        hold(run, () => deliverResult(work, run).then(() => journal.forget(run.assignment.runId)))
      }
      for (const decision of welcome.decisions) {
        const run = held.get(keyOf(decision))
        if (run === undefined) continue
        if (run.phase === 'lost') {
          hold(run, () =>
            deps.runner.withdraw(run.assignment).then(() => journal.forget(run.assignment.runId)),
          )
        } else if (decision.action === 'abort') stopRun(run, 'lease_lost', log)
        else run.leaseUntil = saidHello + welcome.leaseMs
      }
    },

    onMessage(message: Exclude<Push, { type: 'restart' }>): void {
      if (message.type === 'message') return takeMessage(work, message)
      if (message.type === 'stop') {
        for (const run of held.values()) stopRun(run, 'cancelled', log)
      } else if (message.type === 'cancel') {
        const run = held.get(keyOf(message))
        if (run !== undefined) stopRun(run, 'cancelled', log)
      } else if (!held.has(keyOf(message.assignment)) && !closing.signal.aborted) {
        const run = holdRun(message.assignment, leases.until())
        hold(run, () => (isDraining ? refuse(work, run, restarting) : carry(work, run)))
      }
    },

    /**
     * Takes up what an earlier process of this worker left, before the first hello: results are delivered once the
     * hub has answered it, the rest is said to be lost.
     */
    async recover(): Promise<void> {
      for (const { assignment, result } of await journal.recover()) {
        const run = holdRun(assignment, 0)
        run.result = result
        run.phase = result === null ? 'lost' : 'finished'
        held.set(keyOf(assignment), run)
        if (result !== null) undelivered.push(run)
      }
    },

    /** Takes nothing more; see holding.ts for what becomes of what it has. */
    async drain(graceMs: number, hurry: AbortSignal): Promise<void> {
      isDraining = true
      await holding.drain(graceMs, hurry)
    },

    /** Stops every run and waits until nothing of them is left. Their leases run out or the next start reports them. */
    async close(): Promise<void> {
      leases.stop()
      closing.abort()
      await holding.stopAll()
    },
  }
}

const restarting = { code: 'worker_restarting', reason: 'The worker restarts and takes no work.' }

function asHeld({ assignment: { taskId, epoch, runId }, phase }: HeldRun): Hello['holding'][number] {
  return { taskId, epoch, runId, phase }
}
