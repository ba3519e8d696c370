import type { Tx } from '../../kernel/db.ts'
import type { Offered, Waiting } from '../dispatch.ts'

/**
 * The next waiting tasks that at least one of these workers could run, in the order of the queue, locked for this
 * transaction. The filter is exact, so a lane full of tasks for a worker that is away never hides the ones behind
 * it. SKIP LOCKED lets several hubs look at once. The partial index on ready rows ends the scan at the limit:
 * measured as fast with a million rows behind as with a thousand (performance.md, B4).
 */
export async function lockCandidates(
  tx: Tx,
  query: { workspaceId: string; workers: Offered[]; inactiveRepos: string[]; limit: number },
): Promise<Waiting[]> {
  const rows = await tx.query<{ task_id: string; wall: string; needs: string[]; only_worker: string | null }>(
    {
      name: 'tasks_candidates',
      text: `
        select task_id, wall, needs, only_worker from task_queue q
        where workspace_id = $1 and worker_id is null and not_before <= now()
          and coalesce(least(expires_at, complete_by) > now(), true) and repo_id <> all($2::uuid[])
          and (executor = 'shell' or model = 'practice')
          and exists (
            select 1 from jsonb_to_recordset($3::jsonb) as w ("workerId" uuid, walls text[], capabilities text[])
            where q.wall = any(w.walls) and q.needs <@ w.capabilities
              and (q.only_worker is null or q.only_worker = w."workerId"))
        order by lane, enqueued_at, task_id
        limit $4
        for update skip locked`,
    },
    [query.workspaceId, query.inactiveRepos, JSON.stringify(query.workers), query.limit],
  )
  return rows.map(({ task_id: taskId, wall, needs, only_worker: onlyWorker }) => ({
    taskId,
    wall,
    needs,
    onlyWorker,
  }))
}
