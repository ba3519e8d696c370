import type { CheckResult } from '@muster/contract/checks'
import type { Ending } from '@muster/contract/task-states'
import { systemActor, type Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { acceptMs, deadlineGraceMs, maxLosses } from './limits.ts'
import { claim, type ClaimedRow } from './sql/claim.ts'
import { lockExpired, type ExpiredRow } from './sql/expired.ts'
import * as fence from './sql/fence.ts'
import * as store from './store.ts'
import { enqueue } from './tasks.ts'

/**
 * The lease of a task by one run.
 *
 * Why there is one: a worker may die, freeze or lose its network at any instruction, and nobody can tell these from
 * slowness. So a run holds its task for ten seconds at a time and by number. The number is the epoch: each claim
 * raises it, and every write of a run names it. A write that names an older one is refused and changes nothing,
 * whatever the clocks of the machines say. Only the database's clock decides that a lease ran out.
 *
 *   queued ──claim──▶ assigned ──accept──▶ running ──▶ verifying ──finish──▶ done | dead
 *     ▲                  │                    │            │
 *     └──────────────────┴── lease ran out, not accepted in 60 s, worker refused or said that it lost the run
 *
 * cancel ends a task in any of these states and raises the epoch, so that the run's later words are refused; the
 * worker hears of it by a message, or at its next renewal, or stops by its own clock when it hears nothing.
 *
 * A run lost this way goes back to its old place in its lane, at most ten times; then the task is dead with the
 * ending `lost`. A deadline that the worker did not report itself within 20 s ends the task as `timed_out`.
 *
 * On a crash of the hub at any line nothing is half done: a claim, an acceptance, an end are one transaction each,
 * with their event. On a crash of the worker its lease runs out. On a crash of the database the transaction either
 * happened or did not, and the worker repeats its message, which is harmless: accept and renew say what is so, and
 * a finish that already happened is answered as such by the room above.
 */
export type Leases = ReturnType<typeof createLeases>
/** `lost` counts against the bound on vanished runs; `delaySeconds` keeps the task from being claimed at once. */
export type Back = { reason: string; lost: boolean; delaySeconds: number }
export type Held = { taskId: string; epoch: number; workerId: string }

export function createLeases(deps: { events: Events; hints: Hints; leaseMs: number }) {
  const { events, hints, leaseMs } = deps
  const mustHold = async (tx: Tx, actor: Actor, held: Held) => {
    const rows = await tx.query(fence.holdLease, [actor.workspaceId, held.taskId, held.epoch, held.workerId])
    if (rows.length === 0) {
      throw new MusterError(
        'stale_epoch',
        `Epoch ${held.epoch} of task ${held.taskId} is not the current one.`,
      )
    }
  }

  return {
    mustHold,

    /** Leases the next task of this worker's workspace to it; undefined when nothing fits. */
    async claim(
      tx: Tx,
      worker: {
        workspaceId: string
        id: string
        name: string
        walls: string[]
        runId: string
        reason: string
      },
    ): Promise<ClaimedRow | undefined> {
      const rows = await tx.query<ClaimedRow>(claim, [
        worker.workspaceId,
        worker.id,
        worker.name,
        worker.walls,
        leaseMs,
        worker.runId,
        worker.reason,
      ])
      const task = rows[0]
      if (task !== undefined) {
        await events.publish(tx, systemActor(worker.workspaceId), {
          kind: 'task.assigned',
          taskId: task.id,
          runId: worker.runId,
          data: { workerId: worker.id, worker: worker.name, epoch: task.epoch, attempt: task.attempt },
        })
      }
      return task
    },

    async accept(tx: Tx, actor: Actor, held: Held): Promise<void> {
      await mustHold(tx, actor, held)
      await tx.query(fence.accept, [actor.workspaceId, held.taskId, leaseMs])
      await events.publish(tx, actor, {
        kind: 'task.accepted',
        taskId: held.taskId,
        data: { epoch: held.epoch },
      })
    },

    /** Answers the leases that are gone. */
    async renew(tx: Tx, actor: Actor, workerId: string, leases: { taskId: string; epoch: number }[]) {
      const kept = await tx.query<{ task_id: string; epoch: number }>(fence.renew, [
        actor.workspaceId,
        leases.map((lease) => lease.taskId),
        leases.map((lease) => lease.epoch),
        leaseMs,
        workerId,
      ])
      return leases.filter(
        (lease) => !kept.some((row) => row.task_id === lease.taskId && row.epoch === lease.epoch),
      )
    },

    async enterPhase(tx: Tx, actor: Actor, held: Held, phase: string): Promise<void> {
      await mustHold(tx, actor, held)
      const state = phase === 'verifying' || phase === 'publishing' ? 'verifying' : 'running'
      await tx.query({ name: 'tasks_phase', text: 'update tasks set state = $2, phase = $3 where id = $1' }, [
        held.taskId,
        state,
        phase,
      ])
      await events.publish(tx, actor, {
        kind: 'task.phase',
        taskId: held.taskId,
        data: { phase, epoch: held.epoch },
      })
    },

    /** The run's own end: state, event and queue row in this transaction. Dependents are released with it. */
    async complete(
      tx: Tx,
      actor: Actor,
      held: Held,
      result: {
        ending: Ending
        reason: string
        branch: string | null
        commit: string | null
        checks: CheckResult[]
      },
    ): Promise<void> {
      await mustHold(tx, actor, held)
      await tx.query(fence.leave, [actor.workspaceId, held.taskId])
      const state = result.ending === 'verified' ? ('done' as const) : ('dead' as const)
      const { ending, reason, branch, commit, checks } = result
      const end = { workspaceId: actor.workspaceId, id: held.taskId, raiseEpoch: false }
      await store.end(tx, { ...end, state, ending, reason, branch, commit, checks })
      await events.publish(tx, actor, {
        kind: state === 'done' ? 'task.done' : 'task.dead',
        taskId: held.taskId,
        data: { ending, reason, commit, branch, epoch: held.epoch },
      })
      if (state === 'done') await release(tx, actor, held.taskId)
      // A slot is free again.
      tx.afterCommit(() => hints.send('queue'))
    },

    /** The worker holds the lease but cannot or could not run the task. */
    async giveBack(tx: Tx, actor: Actor, held: Held, why: Back): Promise<void> {
      await mustHold(tx, actor, held)
      await backOrDead(tx, actor, held.taskId, why)
    },

    /** Ends the leases that ran out. Answers what it ended, so that the rooms above can end the runs. */
    async sweep(tx: Tx): Promise<ExpiredRow[]> {
      const expired = await lockExpired(tx, { acceptMs, deadlineGraceMs, limit: 100 })
      for (const row of expired) {
        const actor = systemActor(row.workspace_id)
        if (row.cause === 'deadline') {
          await tx.query(fence.leave, [row.workspace_id, row.task_id])
          const end = {
            workspaceId: row.workspace_id,
            id: row.task_id,
            state: 'dead' as const,
            raiseEpoch: true,
          }
          await store.end(tx, { ...end, ending: 'timed_out', reason: causes.deadline })
          await events.publish(tx, actor, {
            kind: 'task.dead',
            taskId: row.task_id,
            data: { ending: 'timed_out' },
          })
        } else {
          await backOrDead(tx, actor, row.task_id, { reason: causes[row.cause], lost: true, delaySeconds: 0 })
        }
      }
      return expired
    },
  }

  async function backOrDead(tx: Tx, actor: Actor, taskId: string, why: Back): Promise<void> {
    const task = await store.lock(tx, taskId)
    if (task === undefined) return
    if (why.lost && task.losses + 1 >= maxLosses) {
      await tx.query(fence.leave, [task.workspace_id, taskId])
      const reason = `${why.reason} This happened ${maxLosses} times.`
      const end = { workspaceId: task.workspace_id, id: taskId, state: 'dead' as const, raiseEpoch: true }
      await store.end(tx, { ...end, ending: 'lost', reason })
      await events.publish(tx, actor, { kind: 'task.dead', taskId, data: { ending: 'lost', reason } })
      return
    }
    await tx.query(fence.giveBack, [task.workspace_id, taskId, why.delaySeconds])
    const back = { workspaceId: task.workspace_id, id: taskId, reason: why.reason, countsAsLoss: why.lost }
    await store.requeue(tx, back)
    await events.publish(tx, actor, {
      kind: 'task.requeued',
      taskId,
      data: { reason: why.reason, epoch: task.epoch },
    })
    tx.afterCommit(() => hints.send('queue'))
  }

  /** Queues every task that waited for this one and now waits for none. */
  async function release(tx: Tx, actor: Actor, doneId: string): Promise<void> {
    const dependents = await tx.query<{ task_id: string }>(
      'select task_id from task_dependencies where needs_id = $1 order by task_id',
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

const causes = {
  lease_expired: 'The worker stopped renewing its lease; the run is lost.',
  not_accepted: 'The worker did not accept the task within 60 s.',
  deadline: 'The deadline passed and the worker did not report the end itself.',
}
