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
  async function complete(tx: Tx, actor: Actor, held: Held, result: RunEnd): Promise<void> {
    await mustHold(tx, actor, held)
    const task = await store.lock(tx, held.taskId)
    if (task === undefined) return
    if (afterRun(result.ending, task) !== 'done') {
      await failed(tx, actor, task, { ...result, raiseEpoch: false })
    } else {
      await completeAll(tx, [{ actor, held, result }])
    }
    // A slot is free again.
    tx.afterCommit(() => hints.send('queue'))
  }

  /**
   * Ends of runs whose leases the caller holds, and whose tasks it has locked and will not try again: done when proven,
   * else dead.
   */
  async function completeAll(tx: Tx, ends: End[]): Promise<void> {
    const [first] = ends
    if (first === undefined) return
    const { workspaceId } = first.actor
    const done = ends.filter(({ result }) => result.ending === 'verified')
    // A slot is free again.
    tx.afterCommit(() => hints.send('queue'))
    const [dependents] = await Promise.all([
      dependentsOf(
        tx,
        done.map(({ held }) => held.taskId),
      ),
      tx.query(fence.leaveAll, [workspaceId, ends.map(({ held }) => held.taskId)]),
      store.endAll(
        tx,
        workspaceId,
        ends.map(({ held, result }) => ({ ...result, id: held.taskId })),
      ),
      events.publishEach(tx, ends.map(ended)),
    ])
    for (const { task_id: id, needs_id } of dependents) {
      const parent = done.find(({ held }) => held.taskId === needs_id)
      if (parent !== undefined) await release(tx, parent.actor, id)
    }
  }

  /** Queues a task that waited for one that is done now, if it waits for none any more. */
  async function release(tx: Tx, actor: Actor, id: string): Promise<void> {
    // Locking first makes two parents that end together look one after the other; the second sees both done.
    const task = await store.lock(tx, id)
    if (task?.state !== 'waiting') return
    const open = (await store.dependencies(tx, id)).some((parent) => parent.state !== 'done')
    if (open) return
    await tx.query(`update tasks set state = 'queued' where id = $1`, [id])
    await events.publish(tx, actor, { kind: 'task.released', taskId: id })
    await enqueue(tx, hints, [task])
  }

  return { complete, completeAll, lockToEnd: store.lockToEnd }
}

export type End = { actor: Actor; held: Held; result: RunEnd }

function ended({ actor, held: { taskId, epoch }, result }: End) {
  const { ending, reason, commit, branch } = result
  const kind = ending === 'verified' ? ('task.done' as const) : ('task.dead' as const)
  return { actor, event: { kind, taskId, data: { ending, reason, commit, branch, epoch } } }
}

async function dependentsOf(tx: Tx, ids: string[]) {
  if (ids.length === 0) return []
  return tx.query<{ task_id: string; needs_id: string }>(dependents, [ids])
}

const dependents = {
  name: 'tasks_dependents',
  text: 'select task_id, needs_id from task_dependencies where needs_id = any($1::uuid[]) order by task_id',
}
