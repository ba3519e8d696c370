import type { Task } from '@muster/contract/tasks'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { enqueue } from './enqueue.ts'
import type { Look } from './look.ts'
import { lockQueueRow, pushTo } from './push.ts'
import * as store from './store.ts'

/** What people do with tasks that ended, and with one that waits too long: again, elsewhere, or gone. */
export function createAgain(deps: { look: Look; events: Events; hints: Hints }) {
  const { events, hints } = deps
  const { found, locked, view, around } = deps.look
  return {
    async retry(tx: Tx, actor: Actor, ref: string): Promise<Task> {
      const row = await locked(tx, ref, 'retry')
      const isOpen = (await store.dependencies(tx, row.id)).some((needed) => needed.state !== 'done')
      const state = isOpen ? 'waiting' : 'queued'
      const reopened = await store.reopen(tx, row.id, state)
      await events.publish(tx, actor, { kind: 'task.retried', taskId: row.id, data: { state } })
      if (!isOpen) await enqueue(tx, hints, [reopened], { delayMs: 0 })
      return view(tx, await found(tx, row.id))
    },

    async push(tx: Tx, actor: Actor, ref: string, workerName: string): Promise<Task> {
      const { id } = await found(tx, ref)
      await lockQueueRow(tx, actor, id)
      const row = await locked(tx, ref, 'push')
      await pushTo(deps, tx, actor, row, { workerName, around: await around(tx) })
      return view(tx, await found(tx, id))
    },

    /** Locks an ended task for its removal; the room above removes what belongs to it first. */
    async lockToDelete(tx: Tx, ref: string): Promise<string> {
      const row = await locked(tx, ref, 'delete')
      const [dependent] = await tx.query('select 1 from task_dependencies where needs_id = $1 limit 1', [
        row.id,
      ])
      if (dependent !== undefined)
        throw new MusterError('has_dependents', 'Other tasks name this one in "after".')
      return row.id
    },

    async remove(tx: Tx, actor: Actor, id: string): Promise<void> {
      await store.remove(tx, id)
      await events.publish(tx, actor, { kind: 'task.deleted', taskId: id })
    },
  }
}
