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

/** What an operator may set for the queue of each workspace. */
export type QueueLimits = {
  /** At most this many tasks of a workspace run at once (ORCH-09). */
  maxRunning: number
  /** Beyond this many waiting tasks of a workspace a new one is refused with 429. */
  maxWaiting: number
  /** People are told of a run that said nothing about its work for this long, in ms. */
  quietMs: number
  /** A run that said nothing for this long is given up, in ms (PIPE-03). */
  noProgressMs: number
}

export const defaultLimits: QueueLimits = {
  maxRunning: 20,
  maxWaiting: 100_000,
  quietMs: 5 * 60_000,
  noProgressMs: 20 * 60_000,
}

/** When a waiting task moves to a higher lane (SCHED-12). */
export type AgeingLimits = {
  /** So long in the lane low, and it becomes normal. */
  lowMs: number
  /** So long in the lane normal, and it becomes high: a low one after half an hour. */
  normalMs: number
  /** So long before it must be complete it becomes urgent. */
  dueSoonMs: number
  /** So many others wait for it. */
  neededBy: number
  /** At most so many at a time, so that a long queue is not turned over at once. */
  atOnce: number
}

export const ageing: AgeingLimits = {
  lowMs: 10 * 60_000,
  normalMs: 20 * 60_000,
  dueSoonMs: 10 * 60_000,
  neededBy: 3,
  atOnce: 100,
}

/**
 * Runs whose worker vanished are tried again this often. More generous than retries of failures, because the task
 * is rarely to blame; bounded, because a task that kills its worker every time must not do so for ever.
 */
export const maxLosses = 10

/** After a refused assignment the task waits this long, so that one broken worker does not spin. */
export const refusedDelaySeconds = 5
