import type { CheckResult, Proof } from '@muster/contract/checks'
import type { Ending } from '@muster/contract/task-states'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { enqueue } from './enqueue.ts'
import type { GiveBack } from './give-back.ts'
import { mustHold, type Held } from './hold.ts'
import { afterRun } from './retry-policy.ts'
import * as fence from './sql/fence.ts'
import * as store from './store.ts'

export type RunEnd = {
  ending: Ending
  reason: string
  branch: string | null
  commit: string | null
  checks: CheckResult[]
  proof: Proof | null
}

/**
 * The run's own end: state, event and queue row in this transaction. Dependents are released with it; a failed task
 * that has tries left goes back to the queue.
 */
export function createComplete({
  events,
  hints,
  failed,
}: {
  events: Events
  hints: Hints
  failed: GiveBack['failed']
}) {
  return async function complete(tx: Tx, actor: Actor, held: Held, result: RunEnd): Promise<void> {
    await mustHold(tx, actor, held)
    const task = await store.lock(tx, held.taskId)
    if (task === undefined) return
    if (afterRun(result.ending, task) !== 'done') {
      await failed(tx, actor, task, { ...result, raiseEpoch: false })
    } else {
      await tx.query(fence.leave, [actor.workspaceId, held.taskId])
      const end = { ...result, workspaceId: actor.workspaceId, id: held.taskId }
      await store.end(tx, { ...end, state: 'done', raiseEpoch: false })
      const { ending, reason, commit, branch } = result
      const data = { ending, reason, commit, branch, epoch: held.epoch }
      await events.publish(tx, actor, { kind: 'task.done', taskId: held.taskId, data })
      await release(tx, actor, held.taskId)
    }
    // A slot is free again.
    tx.afterCommit(() => hints.send('queue'))
  }

  /** Queues every task that waited for this one and now waits for none. */
  async function release(tx: Tx, actor: Actor, doneId: string): Promise<void> {
    const dependents = await tx.query<{ task_id: string }>(
      {
        name: 'tasks_dependents',
        text: 'select task_id from task_dependencies where needs_id = $1 order by task_id',
      },
      [doneId],
    )
    for (const { task_id: id } of dependents) {
      // Locking first makes two parents that end together look one after the other; the second sees both done.
      const task = await store.lock(tx, id)
      if (task?.state !== 'waiting') continue
      const open = (await store.dependencies(tx, id)).some((parent) => parent.state !== 'done')
      if (open) continue
      await tx.query(`update tasks set state = 'queued' where id = $1`, [id])
      await events.publish(tx, actor, { kind: 'task.released', taskId: id })
      await enqueue(tx, hints, task)
    }
  }
}
