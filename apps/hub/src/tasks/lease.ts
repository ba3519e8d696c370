import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { createComplete } from './complete.ts'
import { createGiveBack } from './give-back.ts'
import { createHolding } from './hold.ts'

/**
 * The lease of a task by one run.
 *
 * Why there is one: a worker may die, freeze or lose its network at any instruction, and nobody can tell these from
 * slowness. So a run holds its task for ten seconds at a time and by number. The number is the epoch: each claim
 * raises it, and every write of a run names it. A write that names an older one is refused and changes nothing,
 * whatever the clocks of the machines say. Only the database's clock decides that a lease ran out.
 *
 *   queued ──claim──▶ assigned ──accept──▶ running ──▶ verifying ──finish──▶ done | dead
 *     ▲                  │                    │            │
 *     └──────────────────┴── lease ran out, not accepted in 60 s, worker refused or said that it lost the run
 *
 * cancel ends a task in any of these states and raises the epoch, so that the run's later words are refused; the
 * worker hears of it by a message, or at its next renewal, or stops by its own clock when it hears nothing.
 *
 * A run lost this way goes back to its old place in its lane, at most ten times; then the task is dead with the
 * ending `lost`. A deadline that the worker did not report itself within 20 s ends the task as `timed_out`.
 *
 * On a crash of the hub at any line nothing is half done: a claim, an acceptance, an end are one transaction each,
 * with their event. On a crash of the worker its lease runs out. On a crash of the database the transaction either
 * happened or did not, and the worker repeats its message, which is harmless: accept and renew say what is so, and
 * a finish that already happened is answered as such by the room above.
 */
export function createLeases(deps: { events: Events; hints: Hints; leaseMs: number }) {
  return { ...createHolding(deps), ...createGiveBack(deps), complete: createComplete(deps) }
}

export type Leases = ReturnType<typeof createLeases>
