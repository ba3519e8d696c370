import type { Tx } from '../../kernel/db.ts'

export type OverdueRow = {
  workspace_id: string
  task_id: string
  epoch: number
  /** Whoever holds it at this moment. */
  worker_id: string | null
  cause: 'complete_by' | 'unclaimed'
}

/**
 * Queue rows whose time is over, across workspaces, locked. The condition on nulls is the index's own (task_queue_due);
 * without it PostgreSQL reads the whole queue. SKIP LOCKED leaves alone what somebody is writing at this moment; the
 * next tick finds it.
 *
 * $1 ms that a worker has after the time to report the end itself, as for any deadline, $2 limit.
 */
export function lockOverdue(tx: Tx, graceMs: number, limit: number): Promise<OverdueRow[]> {
  return tx.query<OverdueRow>(
    {
      name: 'tasks_lock_overdue',
      text: `
        select workspace_id, task_id, epoch, worker_id,
          case when complete_by < now() then 'complete_by' else 'unclaimed' end as cause
        from task_queue
        where (expires_at is not null or complete_by is not null) and least(expires_at, complete_by) < now()
          and (worker_id is null or complete_by < now() - make_interval(secs => $1::float8 / 1000))
        order by least(expires_at, complete_by)
        limit $2
        for update skip locked`,
    },
    [graceMs, limit],
  )
}

/** Tasks that wait for others, so have no queue row, and whose time is over, locked. By index tasks_due. */
export function lockOverdueWaiting(tx: Tx, limit: number): Promise<{ workspace_id: string; id: string }[]> {
  return tx.query(
    {
      name: 'tasks_lock_overdue_waiting',
      text: `
        select workspace_id, id from tasks
        where complete_by is not null and ended_at is null and complete_by < now() and state in ('draft', 'waiting')
        order by complete_by
        limit $1
        for update skip locked`,
    },
    [limit],
  )
}
