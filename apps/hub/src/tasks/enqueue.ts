import type { Tx } from '../kernel/db.ts'
import type { Hints } from '../kernel/hints.ts'
import * as fence from './sql/fence.ts'
import type { StoredTask } from './store.ts'

/** Puts a task at the end of its lane and wakes the assignment loops once it is committed. */
export async function enqueue(tx: Tx, hints: Hints, task: StoredTask): Promise<void> {
  await tx.query(fence.enqueue, [task.workspace_id, task.id, task.lane, task.spec.wall, task.epoch])
  tx.afterCommit(() => hints.send('queue'))
}
