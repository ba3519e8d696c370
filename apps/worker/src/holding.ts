import { aborted } from './aborted.ts'
import { keyOf, stopRun, type HeldRun, type StopCause } from './held-run.ts'
import type { Log } from './log.ts'

export type Holding = ReturnType<typeof createHolding>

/** The runs that this worker holds, each until whatever is done with it has ended. */
export function createHolding(log: Log) {
  const held = new Map<string, HeldRun>()
  const having = (...without: HeldRun['phase'][]) =>
    [...held.values()].filter(({ phase }) => !without.includes(phase))
  const gone = (runs: HeldRun[]) => Promise.all(runs.map((run) => run.gone))
  const stop = async (runs: HeldRun[], cause: StopCause) => {
    for (const run of runs) stopRun(run, cause, log)
    await gone(runs)
  }
  return {
    held,

    /** Holds a run until `doing` has ended, however it ends. */
    hold(run: HeldRun, doing: () => Promise<void>): void {
      held.set(keyOf(run.assignment), run)
      run.gone = doing()
        .catch((error: unknown) => {
          if (!run.stop.signal.aborted)
            log.error({ err: error, task: run.assignment.taskId }, 'a run failed unforeseen')
        })
        .finally(() => held.delete(keyOf(run.assignment)))
    },

    /**
     * Waits until nothing is held, at most `graceMs` and not beyond `hurry`. What has not ended by then is stopped and
     * given back to the hub; what only could not be delivered, or was lost before, stays in the journal.
     */
    async drain(graceMs: number, hurry: AbortSignal): Promise<void> {
      const over = AbortSignal.any([hurry, AbortSignal.timeout(graceMs)])
      while (having('lost').length > 0 && !over.aborted) {
        await Promise.race([gone(having('lost')), aborted(over)])
      }
      await stop(having('lost', 'finished'), 'restart')
    },

    stopAll: (): Promise<void> => stop(having(), 'shutdown'),
  }
}
