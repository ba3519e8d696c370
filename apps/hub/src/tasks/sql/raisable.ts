import type { Tx } from '../../kernel/db.ts'
import type { Waits } from '../ageing.ts'
import type { AgeingLimits } from '../limits.ts'

export type RaisableRow = Waits & { workspaceId: string; taskId: string; completeBy: Date | null }

/**
 * Waiting tasks that have to move up, locked, those that have waited longest first. None of a paused workspace: all of
 * it would end in one lane. Which lane is for ageing.ts to say.
 *
 * Reads every waiting row, every 30 s on one hub. Who has dependents at all is found first, in the order of the index:
 * counting for each row took 1.1 s for 100,000 of them, this takes 0.25 s.
 */
export function lockRaisable(tx: Tx, limits: AgeingLimits): Promise<RaisableRow[]> {
  const { lowMs, normalMs, dueSoonMs, neededBy, atOnce } = limits
  return tx.query<RaisableRow>(raisable, [[null, null, normalMs, lowMs], dueSoonMs, neededBy, atOnce])
}

const waitingForIt = `(
        select count(*)::int from task_dependencies d join tasks t on t.workspace_id = d.workspace_id and t.id = d.task_id
        where d.needs_id = q.task_id and d.workspace_id = q.workspace_id and t.state = 'waiting')`

// $1 ms by lane, $2 ms before a task is due, $3 tasks that wait for one, $4 limit.
const raisable = {
  name: 'tasks_lock_raisable',
  text: `
    with many as materialized (
      select workspace_id, needs_id from task_dependencies group by 1, 2 having count(*) >= $3
    )
    select q.workspace_id as "workspaceId", q.task_id as "taskId", q.lane, q.complete_by as "completeBy",
      extract(epoch from now() - greatest(q.lane_since, q.not_before))::float8 * 1000 as "inLaneMs",
      extract(epoch from q.complete_by - now())::float8 * 1000 as "dueInMs",
      case when many.needs_id is null then 0 else ${waitingForIt} end as "neededBy",
      q.raised_for_others as "raisedForOthers"
    from task_queue q left join many on many.workspace_id = q.workspace_id and many.needs_id = q.task_id
    where q.worker_id is null and q.lane > 0 and q.not_before <= now()
      and not exists (select 1 from queue_settings s where s.workspace_id = q.workspace_id and s.paused)
      and (q.complete_by <= now() + make_interval(secs => $2::float8 / 1000)
           or greatest(q.lane_since, q.not_before)
              <= now() - make_interval(secs => ($1::float8[])[q.lane + 1] / 1000)
           or (many.needs_id is not null and not q.raised_for_others and ${waitingForIt} >= $3))
    order by q.lane_since
    limit $4
    for update of q skip locked`,
}

/** $1 workspace, $2 task, $3 lane, $4 whether it was for others. */
export const moveUp = {
  name: 'tasks_move_up',
  text: `update task_queue set lane = $3, lane_since = clock_timestamp(), raised_for_others = raised_for_others or $4
         where workspace_id = $1 and task_id = $2`,
}

/** $1 workspace, $2 task, $3 lane. As the task shows it. */
export const showLane = {
  name: 'tasks_show_lane',
  text: 'update tasks set lane = $3 where workspace_id = $1 and id = $2',
}
