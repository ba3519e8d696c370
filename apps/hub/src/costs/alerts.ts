import { systemActor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
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
    ids: ScopeIds,
    kind: 'budget.low' | 'budget.exhausted' | 'calls.many',
    data: object,
  ) {
    const about = 'scope' in data ? String(data.scope) : ''
    if (!(await mayAlert(tx, ids.workspaceId, kind, about))) return
    const { workspaceId, taskId } = ids
    await events.publish(tx, systemActor(workspaceId), {
      kind,
      ...(taskId === null ? {} : { taskId }),
      data: { ...data },
    })
  }

  return {
    /** `rows` as they were before this call was reserved. */
    async low(tx: Tx, ids: ScopeIds, rows: readonly BudgetRow[], max: number): Promise<void> {
      for (const { scope, limit, spent, reserved } of rows) {
        if (limit === null || limit === 0 || spent + reserved + max < limit * lowFrom) continue
        const id = scopesOf(ids).find((each) => each.scope === scope)?.id
        await say(tx, ids, 'budget.low', {
          scope: `${scope} ${id ?? ''}`,
          limitUsd: limit / 1e6,
          spentUsd: spent / 1e6,
        })
      }
    },

    /** After a refusal, whose own transaction is gone. */
    exhausted: (tx: Tx, ids: ScopeIds, why: string) =>
      say(tx, ids, 'budget.exhausted', { scope: ids.taskId ?? 'hub', why }),

    async many(tx: Tx, ids: ScopeIds): Promise<void> {
      const { hub } = await countAll(tx)
      // With the one that is about to be made.
      if (hub.hour + 1 > manyCallsPerHour) await say(tx, ids, 'calls.many', { lastHour: hub.hour + 1 })
    },
  }
}
