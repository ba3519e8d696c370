import { systemActor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import type { ask } from '@muster/llm/discover/ask'
import { afterCheck } from './health.ts'
import * as store from './store.ts'

export type Record = ReturnType<typeof createRecord>

/** Writes down what a check or a report found. Its row is locked, so that two of them cannot both tell of a change. */
export function createRecord({ events, hints }: { events: Events; hints: Hints }) {
  return async function record(
    tx: Tx,
    at: { workspace_id: string; id: string },
    outcome: Awaited<ReturnType<typeof ask>> | { why: string; certain: true },
  ): Promise<void> {
    const before = await store.lock(tx, at.id)
    // Removed while it was asked.
    if (before === undefined) return
    const why = 'why' in outcome ? outcome.why : null
    const now =
      'certain' in outcome
        ? { health: 'unhealthy' as const, failures: before.failures + 1 }
        : afterCheck(before, why === null)
    const version = 'why' in outcome ? null : outcome.version
    await store.setHealth(tx, at.id, { ...now, error: why, version })
    if (!('why' in outcome)) {
      await store.setModels(tx, { workspaceId: at.workspace_id, id: at.id }, outcome.models)
    }
    if (now.health === before.health) return
    const data = { endpointId: before.id, name: before.name, why }
    const actor = systemActor(at.workspace_id)
    if (now.health === 'unhealthy') await events.publish(tx, actor, { kind: 'endpoint.unhealthy', data })
    if (before.health === 'unhealthy') await events.publish(tx, actor, { kind: 'endpoint.recovered', data })
    if (now.health === 'healthy') tx.afterCommit(() => hints.send('queue'))
  }
}
