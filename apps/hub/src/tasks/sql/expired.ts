import type { Tx } from '../../kernel/db.ts'

export type ExpiredRow = {
  workspace_id: string
  task_id: string
  epoch: number
  worker_id: string
  cause: 'lease_expired' | 'not_accepted' | 'deadline' | 'no_progress'
}

/**
 * Leases that ended without a word, across workspaces, by the database's clock. SKIP LOCKED leaves alone those whose
 * worker or another hub is writing at this moment; the sweep comes again.
 *
 * $1 ms to accept an assignment, $2 ms that a worker has after a deadline to report the ending itself, $3 limit,
 * $4 ms that a connected worker may be quiet about a run.
 */
export function lockExpired(
  tx: Tx,
  options: { acceptMs: number; deadlineGraceMs: number; noProgressMs: number; limit: number },
) {
  return tx.query<ExpiredRow>(
    {
      name: 'tasks_lock_expired',
      text: `
        select workspace_id, task_id, epoch, worker_id,
          case when deadline_at < now() - make_interval(secs => $2 / 1000.0) then 'deadline'
               when lease_expires_at < now() then 'lease_expired'
               when accepted_at is null and assigned_at < now() - make_interval(secs => $1 / 1000.0)
                 then 'not_accepted'
               else 'no_progress' end as cause
        from task_queue
        where worker_id is not null
          and (lease_expires_at < now()
               or (accepted_at is null and assigned_at < now() - make_interval(secs => $1 / 1000.0))
               or deadline_at < now() - make_interval(secs => $2 / 1000.0)
               or progress_at < now() - make_interval(secs => $4 / 1000.0))
        order by lease_expires_at
        limit $3
        for update skip locked`,
    },
    [options.acceptMs, options.deadlineGraceMs, options.limit, options.noProgressMs],
  )
}
