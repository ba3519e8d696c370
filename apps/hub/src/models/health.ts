import type { EndpointHealth } from '@muster/contract/models'

export type Health = { health: EndpointHealth; failures: number }

// LLM-12: so many checks in a row.
const failuresUntilUnhealthy = 2

/**
 * How an endpoint is after a check. `unknown` is what it is after a start of the hub, until the first check; it is given
 * to no run then. One failure changes nothing, because a server that is loading a model answers late.
 */
export function afterCheck(before: Health, answered: boolean): Health {
  if (answered) return { health: 'healthy', failures: 0 }
  const failures = before.failures + 1
  return { health: failures >= failuresUntilUnhealthy ? 'unhealthy' : before.health, failures }
}

/** Between checks; after a first failure the second look is near, so that a dead server is known within 10 s. */
export const checkEveryMs = 30_000
export const checkAgainMs = 5_000

/** A worker says every 30 s what it has; three missed, and nothing is known of it any more. */
export const reportStaleMs = 90_000

// A run has just failed there: short at first, because most servers are back at once.
const firstPauseMs = 5_000
const longestPauseMs = 5 * 60_000

/** How long an endpoint is given to no run after runs said this often in a row that it fails. */
export function pauseMs(trips: number): number {
  return Math.min(firstPauseMs * 2 ** Math.max(trips - 1, 0), longestPauseMs)
}
