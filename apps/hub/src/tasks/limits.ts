import type { Tier } from '@muster/contract/task-states'

/** Deadline around everything, verification included, when the task names none (design: 10 min and 30 min). */
export const defaultTimeoutMs: Record<Tier, number> = {
  trivial: 10 * 60_000,
  standard: 30 * 60_000,
  complex: 30 * 60_000,
}

/** A worker must accept within this time, else the task goes to another. */
export const acceptMs = 60_000

/** What a worker has after a deadline to report the ending itself before the hub ends the task. */
export const deadlineGraceMs = 20_000

/**
 * Runs whose worker vanished are tried again this often. More generous than retries of failures, because the task
 * is rarely to blame; bounded, because a task that kills its worker every time must not do so for ever.
 */
export const maxLosses = 10

/** After a refused assignment the task waits this long, so that one broken worker does not spin. */
export const refusedDelaySeconds = 5
