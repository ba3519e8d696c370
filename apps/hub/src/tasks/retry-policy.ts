import type { Ending } from '@muster/contract/task-states'

/** Endings that another try may turn: the others are decisions, or would cost the same again. */
const retryable: readonly Ending[] = ['execution_failed', 'timed_out', 'stalled']

/** A command does the same again, so once is enough (EXEC-02); what has a model may do better (QUEUE-03). */
export function defaultRetries(task: { run?: string | undefined }): number {
  return task.run === undefined ? 3 : 1
}

/**
 * What becomes of a task when one of its runs has ended: `failures` counts those before this one. Bounded by
 * `retries`, so that no task is tried for ever.
 */
export function afterRun(
  ending: Ending,
  { failures, retries }: { failures: number; retries: number },
): 'done' | 'retry' | 'dead' {
  if (ending === 'verified') return 'done'
  return retryable.includes(ending) && failures < retries ? 'retry' : 'dead'
}

export function mayTryAgain(ending: Ending, task: { failures: number; retries: number }): boolean {
  return afterRun(ending, task) === 'retry'
}

const firstDelayMs = 2_000
const longestDelayMs = 10 * 60_000

/**
 * How long to wait before try number `failures` + 1, in ms: 2 s, 8 s, 32 s … up to 10 min, and up to a quarter more
 * by `spread` (0 to 1), so that many tasks that failed together do not come back together.
 */
export function retryDelayMs(failures: number, spread: number): number {
  const base = Math.min(firstDelayMs * 4 ** Math.max(failures - 1, 0), longestDelayMs)
  return Math.round(base * (1 + spread / 4))
}
