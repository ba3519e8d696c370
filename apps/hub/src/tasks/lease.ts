import type { Agents } from '../agents/agents.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { createClocks } from './clocks.ts'
import { createComplete } from './complete.ts'
import { createGiveBack } from './give-back.ts'
import { createHearing } from './hear.ts'
import { createHolding } from './hold.ts'
import type { QueueLimits } from './limits.ts'
import { createStop } from './stop.ts'
import { createSweep } from './sweep.ts'
import { createTaking } from './take.ts'

/**
 * The lease of a task by one run.
 *
 * Why there is one: a worker may die, freeze or lose its network at any instruction, and nobody can tell these from
 * slowness. So a run holds its task for ten seconds at a time and by number. The number is the epoch: each lease
 * raises it, and every write of a run names it. A write that names an older one is refused and changes nothing,
 * whatever the clocks of the machines say. Only the database's clock decides that a lease ran out.
 *
 *   queued ──take──▶ assigned ──accept──▶ running ──▶ verifying ──finish──▶ done
 *     ▲                 │                    │            │
 *     ├──── lost ───────┴────────────────────┴────────────┤  lease ran out, not accepted in 60 s, worker refused or
 *     │                                                   │  said that it lost the run: at most ten times
 *     └──── failed, with a try left ──────────────────────┤  2 s, 8 s, 32 s … later
 *                                                         └──── failed for good ──▶ dead
 *
 * cancel ends a task in any of these states and raises the epoch, so that the run's later words are refused; the
 * worker hears of it by a message, or at its next renewal, or stops by its own clock when it hears nothing. A stop
 * (kill switch) raises the epoch too and queues the task again.
 *
 * A run lost this way goes back to its old place in its lane. Its result, if it comes after all, is taken as long as
 * no newer run exists: the epoch is still the newest. A deadline that the worker did not report itself within 20 s is
 * a failure, and so is a run that said nothing for 20 min; both raise the epoch.
 *
 * A task that nobody claimed within its time to live, or that is not done when it was to be complete, is dead wherever
 * it was (expire.ts); one that waits long moves up a lane (ageing.ts).
 *
 * On a crash of the hub at any line nothing is half done: a round of leases, an acceptance, an end are one transaction
 * each, with their events. On a crash of the worker its lease runs out. On a crash of the database the transaction
 * either happened or did not, and the worker repeats its message, which is harmless: accept and renew say what is so,
 * and a finish that already happened is answered as such by the room above.
 */
export function createLeases(deps: {
  agents: Agents
  models: Parameters<typeof createTaking>[0]['models']
  events: Events
  hints: Hints
  leaseMs: number
  limits: QueueLimits
}) {
  const giveBack = createGiveBack(deps)
  return {
    ...createTaking(deps),
    ...createHolding(deps),
    ...createHearing(deps),
    giveBack: giveBack.giveBack,
    ...createComplete({ ...deps, failed: giveBack.failed }),
    sweep: createSweep({ ...deps, giveBack }),
    ...createClocks({ ...deps, giveBack }),
    stop: createStop({ ...deps, giveBack }),
  }
}

export type Leases = ReturnType<typeof createLeases>
export type { ClaimedRow as ClaimedTask } from './sql/lease-many.ts'
export { endingOf } from './sweep.ts'
export { mayTryAgain } from './retry-policy.ts'
