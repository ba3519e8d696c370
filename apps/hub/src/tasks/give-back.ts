import { systemActor, type Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { mustHold, type Held } from './hold.ts'
import { acceptMs, deadlineGraceMs, maxLosses } from './limits.ts'
import { lockExpired, type ExpiredRow } from './sql/expired.ts'
import * as fence from './sql/fence.ts'
import * as store from './store.ts'

/** `lost` counts against the bound on vanished runs; `delaySeconds` keeps the task from being claimed at once. */
export type Back = { reason: string; lost: boolean; delaySeconds: number }

const causes = {
  lease_expired: 'The worker stopped renewing its lease; the run is lost.',
  not_accepted: 'The worker did not accept the task within 60 s.',
  deadline: 'The deadline passed and the worker did not report the end itself.',
}

/** Leases that end without a result: given back by their worker, or found run out. */
export function createGiveBack({ events, hints }: { events: Events; hints: Hints }) {
  return {
    /** The worker holds the lease but cannot or could not run the task. */
    async giveBack(tx: Tx, actor: Actor, held: Held, why: Back): Promise<void> {
      await mustHold(tx, actor, held)
      await backOrDead(tx, actor, held.taskId, why)
    },

    /** Ends the leases that ran out. Answers what it ended, so that the room above can end the runs. */
    async sweep(tx: Tx): Promise<ExpiredRow[]> {
      const expired = await lockExpired(tx, { acceptMs, deadlineGraceMs, limit: 100 })
      for (const { workspace_id: workspaceId, task_id: id, cause } of expired) {
        const actor = systemActor(workspaceId)
        if (cause === 'deadline') await die(tx, actor, id, { ending: 'timed_out', reason: causes.deadline })
        else await backOrDead(tx, actor, id, { reason: causes[cause], lost: true, delaySeconds: 0 })
      }
      return expired
    },
  }

  async function backOrDead(tx: Tx, actor: Actor, id: string, why: Back): Promise<void> {
    const task = await store.lock(tx, id)
    if (task === undefined) return
    if (why.lost && task.losses + 1 >= maxLosses) {
      return die(tx, actor, id, { ending: 'lost', reason: `${why.reason} This happened ${maxLosses} times.` })
    }
    const { workspaceId } = actor
    await tx.query(fence.giveBack, [workspaceId, id, why.delaySeconds])
    await store.requeue(tx, { workspaceId, id, reason: why.reason, countsAsLoss: why.lost })
    await events.publish(tx, actor, {
      kind: 'task.requeued',
      taskId: id,
      data: { reason: why.reason, epoch: task.epoch },
    })
    tx.afterCommit(() => hints.send('queue'))
  }

  async function die(
    tx: Tx,
    actor: Actor,
    id: string,
    end: { ending: 'lost' | 'timed_out'; reason: string },
  ) {
    const { workspaceId } = actor
    await tx.query(fence.leave, [workspaceId, id])
    await store.end(tx, { ...end, workspaceId, id, state: 'dead', raiseEpoch: true })
    await events.publish(tx, actor, { kind: 'task.dead', taskId: id, data: end })
  }
}
