import type { Tx } from '../kernel/db.ts'
import type { Hints } from '../kernel/hints.ts'
import * as fence from './sql/fence.ts'
import type { StoredTask } from './store.ts'

/**
 * Puts a task at the end of its lane and wakes the assignment loops once it is committed. Its delay and its time to
 * live begin here, so a task that waited for others has all of both.
 */
export async function enqueue(
  tx: Tx,
  hints: Hints,
  task: StoredTask,
  { delayMs = task.spec.delayMs }: { delayMs?: number } = {},
): Promise<void> {
  const { onlyWorkerId, ttlMs } = task.spec
  await tx.query(fence.enqueue, [
    task.workspace_id,
    task.id,
    task.lane,
    task.spec.wall,
    task.epoch,
    task.repo_id,
    task.spec.needs,
    onlyWorkerId,
    task.spec.timeoutMs,
    delayMs / 1000,
    ttlMs === null ? null : ttlMs / 1000,
    task.complete_by,
  ])
  tx.afterCommit(() => hints.send('queue'))
}
