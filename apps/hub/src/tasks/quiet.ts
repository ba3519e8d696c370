import { systemActor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { QueueLimits } from './limits.ts'

type Quiet = { workspace_id: string; task_id: string; worker: string | null; since_ms: number }

/**
 * Tells people of a run that holds its lease and says nothing about its work, once for each silence: whatever it says
 * next makes it loud again. Long before it is given up for that (noProgressMs).
 */
export function createTellQuiet({ events, limits }: { events: Events; limits: QueueLimits }) {
  return async function tellQuiet(tx: Tx): Promise<void> {
    for (const { workspace_id, task_id, worker, since_ms } of await tx.query<Quiet>(tell, [limits.quietMs])) {
      await events.publish(tx, systemActor(workspace_id), {
        kind: 'task.quiet',
        taskId: task_id,
        data: { worker, sinceMs: Math.round(since_ms) },
      })
    }
  }
}

/** $1 ms. Reads what is leased, of which there is never more than runs at once. */
const tell = {
  name: 'tasks_tell_quiet',
  text: `
    with quiet as (
      select workspace_id, task_id from task_queue
      where worker_id is not null and not quiet_told and progress_at < now() - make_interval(secs => $1::float8 / 1000)
      order by progress_at limit 100
      for update skip locked
    )
    update task_queue q set quiet_told = true from quiet join tasks t on t.workspace_id = quiet.workspace_id
      and t.id = quiet.task_id
    where q.workspace_id = quiet.workspace_id and q.task_id = quiet.task_id
    returning q.workspace_id, q.task_id, t.worker, extract(epoch from now() - q.progress_at)::float8 * 1000 as since_ms`,
}
