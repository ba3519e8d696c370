import type { Tx } from '../kernel/db.ts'
import type { Hints } from '../kernel/hints.ts'
import * as fence from './sql/fence.ts'
import type { StoredTask } from './store.ts'

/** When its delay is over and when it dies unclaimed, as the database's clock has it. */
export type QueueRow = { task_id: string; not_before: Date | null; expires_at: Date | null }

/**
 * Puts tasks of one workspace at the ends of their lanes and wakes the assignment loops once they are committed. The
 * delay of a task and its time to live begin here, so one that waited for others has all of both.
 */
export async function enqueue(
  tx: Tx,
  hints: Hints,
  tasks: StoredTask[],
  { delayMs }: { delayMs?: number } = {},
): Promise<QueueRow[]> {
  const [first] = tasks
  if (first === undefined) return []
  const rows = tasks.map(({ id, lane, epoch, repo_id, complete_by, tier, spec }) => ({
    task_id: id,
    lane,
    wall: spec.wall,
    epoch,
    repo_id,
    needs: spec.needs,
    only_worker: spec.onlyWorkerId,
    timeout_ms: spec.timeoutMs,
    delay: (delayMs ?? spec.delayMs) / 1000,
    ttl: spec.ttlMs === null ? null : spec.ttlMs / 1000,
    complete_by,
    executor: spec.prompt === null ? 'shell' : 'loop',
    tier,
    model: spec.model,
  }))
  tx.afterCommit(() => hints.send('queue'))
  return tx.query<QueueRow>(fence.enqueue, [first.workspace_id, JSON.stringify(rows)])
}
