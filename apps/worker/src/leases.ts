import { keyOf, stopRun, type HeldRun } from './held-run.ts'
import type { HubLink } from './hub-link.ts'
import type { Log } from './log.ts'

// Two renewals may be lost before a lease is.
const renewalsPerLease = 3

/**
 * Keeps the leases of living runs, and watches them by this machine's monotonic clock from the moment a renewal was
 * *sent*, so that a lease can only be counted too short. When one runs out its run is stopped and the wall destroyed,
 * whether the hub can be reached or not: from then on the task may be somebody else's. A finished run has no wall any
 * more and needs no lease; the hub takes its result or refuses it by its epoch.
 */
export function createLeaseKeeper(deps: {
  held: Map<string, HeldRun>
  link: () => HubLink
  log: Log
  now: () => number
}) {
  const { held, log, now } = deps
  let leaseMs = 0
  let renewing: NodeJS.Timeout | undefined
  let watching: NodeJS.Timeout | undefined
  const living = () =>
    [...held.values()].filter(
      ({ phase, stop }) => phase !== 'finished' && phase !== 'lost' && !stop.signal.aborted,
    )

  async function renew(): Promise<void> {
    const runs = living()
    if (runs.length === 0) return
    const sentAt = now()
    const leases = runs.map(({ assignment: { taskId, epoch } }) => ({ taskId, epoch }))
    const answer = await deps.link().request({ type: 'renew', leases })
    const lost = new Set((answer.type === 'reply' ? (answer.lost ?? []) : []).map(keyOf))
    for (const run of runs) {
      if (lost.has(keyOf(run.assignment))) stopRun(run, 'lease_lost', log)
      else run.leaseUntil = sentAt + leaseMs
    }
  }

  return {
    /** When a lease that is given now ends. */
    until: () => now() + leaseMs,

    start(ms: number): void {
      leaseMs = ms
      this.stop()
      // A renewal that fails is one of those that may be lost; the watch below is what counts.
      renewing = setInterval(() => void renew().catch(() => {}), leaseMs / renewalsPerLease)
      watching = setInterval(() => {
        for (const run of living()) if (now() > run.leaseUntil) stopRun(run, 'lease_lost', log)
      }, 250)
    },

    stop(): void {
      clearInterval(renewing)
      clearInterval(watching)
    },
  }
}
