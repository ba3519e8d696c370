import type { Worker } from '@muster/contract/workers'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { whyUnfit, type Wanted } from './dispatch.ts'
import { asAble, type Around } from './explain.ts'
import type { StoredTask } from './store.ts'

const lockRow = {
  name: 'tasks_lock_queue_row',
  text: 'select task_id from task_queue where workspace_id = $1 and task_id = $2 for update',
}
const pushRow = {
  name: 'tasks_push',
  text: `update task_queue set only_worker = $3, lane = 0, not_before = '-infinity'
         where workspace_id = $1 and task_id = $2 and worker_id is null`,
}

export async function lockQueueRow(tx: Tx, { workspaceId }: Actor, id: string): Promise<void> {
  await tx.query(lockRow, [workspaceId, id])
}

/**
 * Gives a queued task to a named worker: it goes before all others and to nobody else, so the next round of the hub
 * that holds the worker takes it (QUEUE-13). Refused when that could not happen at once; the task then stays as it is.
 */
export async function pushTo(
  { events, hints }: { events: Events; hints: Hints },
  tx: Tx,
  actor: Actor,
  task: StoredTask,
  { workerName, around }: { workerName: string; around: Around },
): Promise<void> {
  const worker = around.workers.find((each) => each.name === workerName)
  if (worker === undefined) throw new MusterError('worker_not_found', `No worker is called ${workerName}.`)
  const why = whyNotNow(
    { wall: task.spec.wall, needs: task.spec.needs, onlyWorker: null, model: null },
    worker,
    around,
  )
  if (why !== undefined) throw new MusterError('worker_not_able', `${worker.name} ${why}.`)
  if (around.running >= around.maxRunning) {
    throw new MusterError('too_many_running', `${around.running} tasks of this workspace run already.`)
  }
  await tx.query(pushRow, [actor.workspaceId, task.id, worker.id])
  await tx.query('update tasks set only_worker = $2, lane = 0 where id = $1', [task.id, worker.name])
  await events.publish(tx, actor, {
    kind: 'task.pushed',
    taskId: task.id,
    data: { workerId: worker.id, worker: worker.name },
  })
  tx.afterCommit(() => hints.send('queue'))
}

function whyNotNow(task: Wanted, worker: Worker, { paused }: Around): string | undefined {
  if (paused) return 'gets nothing while the queue is paused'
  if (!worker.connected) return 'is not connected'
  if (worker.cordoned !== null) return `is cordoned: ${worker.cordoned.replace(/\.$/, '')}`
  return whyUnfit(task, asAble(worker)) ?? (worker.busy < worker.slots ? undefined : 'has no free slot')
}
