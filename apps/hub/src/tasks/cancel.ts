import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Look } from './look.ts'
import * as fence from './sql/fence.ts'
import * as store from './store.ts'

export function createCancel({ look, events }: { look: Look; events: Events }) {
  const { found, locked, view } = look
  return {
    /**
     * Ends a task now. The raised epoch refuses whatever its run still sends. Answers the lease that was cut short,
     * so that the room of runs can end the run and tell its worker.
     */
    async cancel(tx: Tx, actor: Actor, ref: string) {
      // The queue row first and the task second, as every write of a run does: two orders would deadlock.
      await tx.query(fence.leave, [actor.workspaceId, (await found(tx, ref)).id])
      const row = await locked(tx, ref, 'cancel')
      // A retry, or the end of a parent, that was under way put its queue row there only now. Left behind, it would make
      // every claim of the workspace fail, because an ended task cannot be assigned.
      await tx.query(fence.leave, [actor.workspaceId, row.id])
      await store.end(tx, {
        workspaceId: row.workspace_id,
        id: row.id,
        state: 'cancelled',
        ending: 'cancelled',
        reason: `Cancelled by ${actor.label}.`,
        raiseEpoch: true,
      })
      await events.publish(tx, actor, {
        kind: 'task.cancelled',
        taskId: row.id,
        ...(row.run_id === null ? {} : { runId: row.run_id }),
        data: { epoch: row.epoch, was: row.state },
      })
      const held =
        row.worker_id === null ? null : { taskId: row.id, epoch: row.epoch, workerId: row.worker_id }
      return { task: await view(tx, await found(tx, row.id)), held }
    },
  }
}
