import { systemActor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Events, NewEvent } from '../kernel/events.ts'
import type { BudgetRow } from './budget.ts'
import { manyCallsPerHour } from './call-limits.ts'
import { countAll, mayAlert } from './call-store.ts'
import { scopesOf, type ScopeIds } from './store.ts'

/** From here on people are told, while there is still something to do about it. */
const lowFrom = 0.8

/** COST-03. Each is said once an hour, in the transaction that saw it. */
export function createAlerts({ events }: { events: Events }) {
  async function say(
    tx: Tx,
    { workspaceId, taskId }: ScopeIds,
    about: string,
    event: NewEvent,
  ): Promise<void> {
    if (!(await mayAlert(tx, workspaceId, event.kind, about))) return
    const ofTask = taskId === null ? {} : { taskId }
    await events.publish(tx, systemActor(workspaceId), { ...ofTask, ...event })
  }

  return {
    /** `rows` as they were before this call was reserved. */
    async low(tx: Tx, ids: ScopeIds, rows: readonly BudgetRow[], max: number): Promise<void> {
      for (const { scope, limit, spent, reserved } of rows) {
        if (limit === null || limit === 0 || spent + reserved + max < limit * lowFrom) continue
        const id = scopesOf(ids).find((each) => each.scope === scope)?.id
        const data = { scope, id, limitUsd: limit / 1e6, spentUsd: spent / 1e6 }
        await say(tx, ids, `${scope} ${id}`, { kind: 'budget.low', data })
      }
    },

    /** After a refusal, whose own transaction is gone. */
    exhausted: (tx: Tx, ids: ScopeIds, why: string) =>
      say(tx, ids, ids.taskId ?? 'hub', { kind: 'budget.exhausted', data: { why } }),

    async many(tx: Tx, ids: ScopeIds): Promise<void> {
      const { hub } = await countAll(tx)
      // With the one that is about to be made.
      const lastHour = hub.hour + 1
      if (lastHour > manyCallsPerHour) await say(tx, ids, 'hub', { kind: 'calls.many', data: { lastHour } })
    },
  }
}
