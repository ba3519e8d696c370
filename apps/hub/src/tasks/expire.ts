import { systemActor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { GiveBack } from './give-back.ts'
import { deadlineGraceMs } from './limits.ts'
import { lockOverdue, lockOverdueWaiting, type OverdueRow } from './sql/overdue.ts'
import * as store from './store.ts'

const batch = 100
// So that one firing is over in seconds; what is left is for the next.
const batches = 10

export type Expired = { workspaceId: string; taskId: string; epoch: number; workerId: string; reason: string }

/**
 * Ends tasks whose time is over, wherever they are: those that nobody claimed within their time to live (QUEUE-06), and
 * those that were to be complete by now (QUEUE-05). They are dead and not tried again; the raised epoch refuses what a
 * run still sends. Once claimed, a task has no time to live any more: a lost run must not end it as unclaimed.
 *
 * Who holds a lease gets as long as after any deadline, because its own report says more than ours. Answers the leases
 * it cut short, so that the room above can end the runs in this transaction and tell the workers.
 */
export function createExpire({ giveBack }: { giveBack: GiveBack }) {
  return async function expire(tx: Tx): Promise<Expired[]> {
    const cut: Expired[] = []
    for (let n = 0; n < batches; n++) {
      const rows = await lockOverdue(tx, deadlineGraceMs, batch)
      for (const row of rows) cut.push(...(await end(tx, row)))
      if (rows.length < batch) break
    }
    for (const { workspace_id: workspaceId, id } of await lockOverdueWaiting(tx, batch)) {
      const task = await store.lock(tx, id)
      if (task !== undefined) await die(tx, workspaceId, task, 'complete_by')
    }
    return cut
  }

  /** The queue row is locked, the task not yet, as everywhere. */
  async function end(tx: Tx, row: OverdueRow): Promise<Expired[]> {
    const { workspace_id: workspaceId, task_id: taskId, epoch, worker_id: workerId, cause } = row
    const task = await store.lock(tx, taskId)
    if (task === undefined) return []
    const reason = await die(tx, workspaceId, task, cause)
    return workerId === null ? [] : [{ workspaceId, taskId, epoch, workerId, reason }]
  }

  async function die(tx: Tx, workspaceId: string, task: store.StoredTask, cause: OverdueRow['cause']) {
    const reason =
      cause === 'unclaimed'
        ? `Nobody claimed it within ${spoken(task.spec.ttlMs ?? 0)}.`
        : `It was to be complete by ${task.complete_by?.toISOString() ?? 'then'}.`
    await giveBack.die(tx, systemActor(workspaceId), task, { ending: 'timed_out', reason, raiseEpoch: true })
    return reason
  }
}

function spoken(ms: number): string {
  const seconds = ms / 1000
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`
}
