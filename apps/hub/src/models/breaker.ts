import { systemActor, type Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import { pauseMs } from './health.ts'
import * as store from './store.ts'

/** How a call of a model failed, as packages/llm tells it. */
export type Failed = { class: string; resetAt?: Date | undefined }

const usualQuotaMs = 60_000
// A server may say any time; longer than the longest month nobody means it.
const longestQuotaMs = 31 * 86_400_000

/**
 * How long an endpoint is given to no run after a run met this; null when that says nothing about the endpoint: a wrong
 * request, a refusal of the model, a run that was stopped.
 */
export function pauseFor(failed: Failed, trips: number, now: number): number | null {
  if (failed.class === 'quota') {
    const ms = failed.resetAt === undefined ? usualQuotaMs : failed.resetAt.getTime() - now
    return Math.min(Math.max(ms, pauseMs(1)), longestQuotaMs)
  }
  return ['unavailable', 'cut_off', 'busy'].includes(failed.class) ? pauseMs(trips) : null
}

/** The circuit breaker: what runs meet is known before the next check, and checks do not see all of it. */
export function createBreaker({ events }: { events: Events }) {
  return {
    /**
     * A run met this at an endpoint, by its name or id. Several runs that meet the same failure at once are one: while it
     * is paused nothing is counted, and after the pause one more failure makes the next pause twice as long.
     */
    async reportFailure(tx: Tx, actor: Actor, endpoint: string, failed: Failed): Promise<void> {
      const row = await store.lock(tx, endpoint)
      if (row === undefined || row.paused_until !== null) return
      const trips = row.trips + 1
      const ms = pauseFor(failed, trips, Date.now())
      if (ms === null) return
      await store.pause(tx, row.id, { trips, ms })
      const data = { endpointId: row.id, name: row.name, class: failed.class, pauseMs: ms }
      await events.publish(tx, systemActor(actor.workspaceId), { kind: 'endpoint.paused', data })
    },
  }
}
