import type { z } from 'zod'
import type { stopped } from '@muster/contract/queue'
import type { Task } from '@muster/contract/tasks'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { endingOf } from '../tasks/lease.ts'
import { createGatewayAccess } from './gateway-access.ts'
import { createHandler } from './handler.ts'
import type { RunDeps } from './run-deps.ts'
import * as store from './store.ts'

type Stopped = z.infer<typeof stopped>

export type { GatewayRun } from './gateway-access.ts'
export type Runs = ReturnType<typeof createRuns>

/** One attempt at a task: what its worker reports, and how it ends. Every write is behind the lease's fence. */
export function createRuns(deps: RunDeps) {
  const { db, agents, leases, hints } = deps
  return {
    handler: createHandler(deps),
    ...createGatewayAccess(deps),

    /** Ends leases that ran out together with their runs, in one transaction. */
    async sweep(): Promise<void> {
      await db.asSystem(async (tx) => {
        for (const row of await leases.sweep(tx)) {
          const ending = endingOf(row.cause)
          const run = { workspaceId: row.workspace_id, taskId: row.task_id, epoch: row.epoch }
          await store.endOpen(tx, {
            ...run,
            ending,
            reason: `The lease ended: ${row.cause.replaceAll('_', ' ')}.`,
          })
        }
      })
    },

    /** Ends tasks whose time is over together with their runs, and tells the workers connected here. */
    async expire(tx: Tx): Promise<void> {
      for (const { workerId, reason, ...run } of await leases.expire(tx)) {
        await store.endOpen(tx, { ...run, ending: 'timed_out', reason })
        const { taskId, epoch } = run
        tx.afterCommit(() => agents.send(workerId, { type: 'cancel', taskId, epoch, reason }))
      }
    },

    /**
     * The kill switch for one worker, or without a name for the workspace: takes every lease back and ends the runs.
     * The workers are told before anything is written, so that they stop although the database is away; one that
     * hears nothing stops when its lease ends by its own clock.
     */
    async stop(tx: Tx, actor: Actor, worker: { id: string } | null, why: string): Promise<Stopped> {
      const { workspaceId } = actor
      const told = agents.tell(workspaceId, worker?.id ?? null, { type: 'stop', reason: why })
      const held = await leases.stop(tx, actor, worker?.id ?? null, why)
      for (const { taskId, epoch } of held) {
        await store.endOpen(tx, { workspaceId, taskId, epoch, ending: 'cancelled', reason: why })
      }
      return { requeued: held.length, told }
    },

    /** Removes an ended task with everything of its runs. */
    async remove(tx: Tx, actor: Actor, ref: string): Promise<void> {
      const id = await deps.tasks.lockToDelete(tx, ref)
      await store.removeOf(tx, id)
      await deps.tasks.remove(tx, actor, id)
    },

    /**
     * Cancels a task and ends its run in the same transaction. A worker connected here is told at once; one of
     * another hub learns it from its next renewal, which is at most a third of a lease away.
     */
    async cancel(tx: Tx, actor: Actor, ref: string): Promise<Task> {
      const { task, held } = await deps.tasks.cancel(tx, actor, ref)
      if (held === null) return task
      const reason = `Cancelled by ${actor.label}.`
      const run = { workspaceId: actor.workspaceId, taskId: held.taskId, epoch: held.epoch }
      await store.endOpen(tx, { ...run, ending: 'cancelled', reason })
      tx.afterCommit(() => {
        agents.send(held.workerId, { type: 'cancel', taskId: held.taskId, epoch: held.epoch, reason })
        hints.send('queue')
      })
      return task
    },
  }
}
