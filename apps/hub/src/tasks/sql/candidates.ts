import type { Tx } from '../../kernel/db.ts'
import type { Placeable } from '../../models/supply.ts'
import { askingOf, type AskingRow } from '../asking.ts'
import type { Offered, Waiting } from '../dispatch.ts'

/**
 * The next waiting tasks that at least one of these workers could run, in the order of the queue, locked for this
 * transaction. The filter is exact, so a lane full of tasks for a worker that is away never hides the ones behind
 * it, nor does one of tasks for a model that is away: each worker comes with the tiers and the names of models that it
 * could be given now, and with the tiers after a wait. SKIP LOCKED lets several hubs look at once.
 *
 * The partial index on ready rows gives the order and ends the scan at the limit. The conditions are one case, which
 * PostgreSQL takes for true of every second row. Of conditions that it can take apart it expects a single row in the end, and
 * then it reads all that waits and sorts it: 270 ms for a round with 100,000 waiting, instead of 1 ms.
 */
export async function lockCandidates(
  tx: Tx,
  query: {
    workspaceId: string
    workers: (Offered & Placeable)[]
    inactiveRepos: string[]
    limit: number
    modelWaitMs: number
  },
): Promise<Waiting[]> {
  const rows = await tx.query<CandidateRow>(
    {
      name: 'tasks_candidates',
      text: `
        select task_id, repo_id, wall, needs, only_worker, executor, tier, model,
          extract(epoch from now() - greatest(enqueued_at, not_before))::float8 * 1000 as waited_ms
        from task_queue q
        where workspace_id = $1 and worker_id is null and case when not_before <= now()
          and coalesce(least(expires_at, complete_by) > now(), true) and repo_id <> all($2::uuid[])
          and exists (
            select 1 from jsonb_to_recordset($3::jsonb) as w ("workerId" uuid, walls text[], capabilities text[],
              tiers text[], "lateTiers" text[], models text[])
            where q.wall = any(w.walls) and q.needs <@ w.capabilities
              and (q.only_worker is null or q.only_worker = w."workerId")
              and (q.executor = 'shell' or q.model = 'practice' or q.model = any(w.models)
                or (q.model is null and (q.tier = any(w.tiers) or (q.tier = any(w."lateTiers")
                  and greatest(q.enqueued_at, q.not_before) < now() - make_interval(secs => $5::float8 / 1000))))))
          then true else false end
        order by lane, enqueued_at, task_id
        limit $4
        for update skip locked`,
    },
    [query.workspaceId, query.inactiveRepos, JSON.stringify(query.workers), query.limit, query.modelWaitMs],
  )
  return rows.map((row) => ({
    taskId: row.task_id,
    wall: row.wall,
    needs: row.needs,
    onlyWorker: row.only_worker,
    model: askingOf(row),
  }))
}

type CandidateRow = AskingRow & { task_id: string; wall: string; needs: string[]; only_worker: string | null }
