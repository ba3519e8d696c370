import type { Assignment, RunResult } from '@muster/contract/wire'
import type { RunPhase } from '@muster/contract/task-states'
import type { Log } from './log.ts'

/** Why a run was stopped from outside; the deadline is not one of them, it is an end of the run itself. */
export type StopCause = 'cancelled' | 'lease_lost' | 'shutdown' | 'restart'

/** A run this worker has taken on. Everything in it is about this process; the journal is what outlives it. */
export type HeldRun = {
  readonly assignment: Assignment
  readonly stop: AbortController
  phase: RunPhase | 'assigned' | 'finished' | 'lost'
  result: RunResult | null
  /** By this machine's monotonic clock: from then on the lease may belong to somebody else. */
  leaseUntil: number
  /** Resolves when nothing of the run is left on this machine. */
  gone: Promise<void>
}

export function keyOf(run: { taskId: string; epoch: number }): string {
  return `${run.taskId}:${run.epoch}`
}

export function holdRun(assignment: Assignment, leaseUntil: number): HeldRun {
  const gone = Promise.resolve()
  return { assignment, stop: new AbortController(), phase: 'assigned', result: null, leaseUntil, gone }
}

export function stopRun(run: HeldRun, cause: StopCause, log: Log): void {
  if (run.stop.signal.aborted) return
  log.info({ task: run.assignment.taskId, epoch: run.assignment.epoch, cause }, 'a run is stopped')
  run.stop.abort(cause)
}
