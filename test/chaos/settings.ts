/**
 * Leases of two seconds instead of ten, so that a round which waits for one to end takes seconds. Everything else is
 * as shipped; what the checker allows is counted in these.
 */
export const leaseMs = 2_000

/** The hub looks for ended leases once a second. */
const sweepMs = 1_000

/** After the fault has healed no lease may stay ended longer than this (I-4). */
export const orphanLimitMs = 2 * leaseMs + sweepMs

/** After the fault has healed everything handed in must end within this; what has not is stuck. */
export const drainLimitMs = 30_000

export const workerNames = ['w1', 'w2', 'w3']
export const slotsPerWorker = 4
