import type { WorkerMessage } from '@muster/contract/wire'
import type { Blocked } from '@muster/contract/workers'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import type { Connection } from './connections.ts'
import type { Settle } from './settle.ts'
import * as store from './store.ts'

/** What a worker says about itself: each is one transaction, and changes what it is offered. */
export type ConditionMessage = Extract<WorkerMessage, { type: 'condition' | 'restarting' }>

export function createCondition(deps: { db: Db; events: Events; hints: Hints; settle: Settle }) {
  const { db, events, hints } = deps
  return {
    async onCondition(actor: Actor, connection: Connection, message: ConditionMessage): Promise<void> {
      const { workerId } = connection
      if (message.type === 'restarting') {
        // Before the transaction: an assignment that is being made would only be refused.
        connection.restarting = true
        const { cause, reason, graceMs } = message
        await db.inWorkspace(actor.workspaceId, async (tx) => {
          await store.setRestarting(tx, workerId)
          const data = { workerId, worker: connection.name, cause, reason, graceMs }
          await events.publish(tx, actor, { kind: 'worker.restarting', data })
        })
        return
      }
      connection.blocked = message.blocked !== null
      await db.inWorkspace(actor.workspaceId, async (tx) => {
        const before = await store.setCondition(tx, workerId, message)
        await publishBlocked(events, tx, actor, { connection, before, now: message.blocked })
        const isSame = (before === null) === (message.blocked === null)
        if (!isSame) await deps.settle(tx, actor, workerId, message.blocked?.reason ?? 'It is free again.')
      })
      if (message.blocked === null) hints.send('queue')
    },
  }
}

/** Only a change is a fact; a worker says every 30 s how it does. */
export async function publishBlocked(
  events: Events,
  tx: Tx,
  actor: Actor,
  change: { connection: Connection; before: Blocked | null; now: Blocked | null },
): Promise<void> {
  const { connection, before, now } = change
  if (before?.code === now?.code) return
  const worker = { workerId: connection.workerId, worker: connection.name }
  if (now === null) await events.publish(tx, actor, { kind: 'worker.unblocked', data: worker })
  else await events.publish(tx, actor, { kind: 'worker.blocked', data: { ...worker, ...now } })
}
