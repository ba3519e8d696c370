import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import * as fence from './sql/fence.ts'
import * as store from './store.ts'

/** What the fence answers to a write of an older run. */
export function stale({ epoch, taskId }: Held): MusterError {
  return new MusterError('stale_epoch', `Epoch ${epoch} of task ${taskId} is not the current one.`)
}

/** Names one lease: the fence that every write of a run passes. */
export type Held = { taskId: string; epoch: number; workerId: string }

/** Locks the lease for the rest of the transaction, or refuses with `stale_epoch`. */
export async function mustHold(tx: Tx, actor: Actor, held: Held): Promise<void> {
  if (!(await hold(tx, actor, held))) throw stale(held)
}

/** The same with an answer instead of a refusal. */
async function hold(tx: Tx, actor: Actor, held: Held): Promise<boolean> {
  const values = [actor.workspaceId, held.taskId, held.epoch, held.workerId]
  return (await tx.query(fence.holdLease, values)).length > 0
}

/** Whether this epoch has the lease, for something that is no write of the run. */
async function isHeld(tx: Tx, { taskId, epoch, workerId }: Held): Promise<boolean> {
  return (await tx.query(fence.isHeld, [taskId, epoch, workerId])).length > 0
}

/** Keeping a lease. */
export function createHolding({ events, leaseMs }: { events: Events; leaseMs: number }) {
  return {
    mustHold,
    hold,
    isHeld,

    /**
     * For the end of a run whose lease was given up: unless somebody has taken it since, it is taken up again, so that
     * finished work is not done twice. The caller has seen that this worker had this epoch.
     */
    async takeUp(tx: Tx, actor: Actor, held: Held): Promise<void> {
      const values = [actor.workspaceId, held.taskId, held.epoch, held.workerId, leaseMs]
      if ((await tx.query(fence.reclaim, values)).length === 0) throw stale(held)
      await store.takeUp(tx, held.taskId, { id: held.workerId, name: actor.label })
      await events.publish(tx, actor, {
        kind: 'task.late_result',
        taskId: held.taskId,
        data: { epoch: held.epoch, workerId: held.workerId },
      })
    },

    /**
     * Locks those of these leases that are held, for the rest of the transaction, and answers them. No two may be of
     * one task.
     */
    async holdAll(tx: Tx, workspaceId: string, held: Held[]): Promise<Set<Held>> {
      const rows = await tx.query<{ task_id: string }>(fence.holdLeases, [
        workspaceId,
        held.map((each) => each.taskId),
        held.map((each) => each.epoch),
        held.map((each) => each.workerId),
      ])
      const kept = new Set(rows.map((row) => row.task_id))
      return new Set(held.filter((each) => kept.has(each.taskId)))
    },

    /** Of leases that the caller holds. */
    async acceptAll(tx: Tx, accepted: { actor: Actor; held: Held }[]): Promise<void> {
      const [first] = accepted
      if (first === undefined) return
      const ids = accepted.map(({ held }) => held.taskId)
      await Promise.all([
        tx.query(fence.accept, [first.actor.workspaceId, ids, leaseMs]),
        events.publishEach(
          tx,
          accepted.map(({ actor, held: { taskId, epoch } }) => ({
            actor,
            event: { kind: 'task.accepted' as const, taskId, data: { epoch } },
          })),
        ),
      ])
    },

    /** The worker is at work on accepting: its time for that starts anew. */
    async prolongAcceptance(tx: Tx, actor: Actor, held: Held): Promise<void> {
      await mustHold(tx, actor, held)
      await tx.query(fence.prolongAcceptance, [actor.workspaceId, held.taskId])
    },

    /** The run said something about its work. */
    async progressed(tx: Tx, actor: Actor, held: Held): Promise<void> {
      await mustHold(tx, actor, held)
      await tx.query(fence.progressed, [actor.workspaceId, held.taskId])
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
      await tx.query(fence.progressed, [actor.workspaceId, held.taskId])
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
  }
}
