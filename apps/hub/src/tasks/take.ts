import { systemActor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import { newId } from '../kernel/ids.ts'
import type { Machine } from '../models/look.ts'
import type { Models } from '../models/models.ts'
import { placeable } from '../models/supply.ts'
import { usageOf } from './asking.ts'
import { dispatch, type Able, type Placement } from './dispatch.ts'
import type { QueueLimits } from './limits.ts'
import { isPaused } from './settings.ts'
import { lockCandidates } from './sql/candidates.ts'
import { leaseMany, type ClaimedRow } from './sql/lease-many.ts'

// As many as one statement and one message burst carry without another workspace noticing the wait.
const roundSize = 100

/** Slots held, by worker. */
const heldBy = {
  name: 'tasks_held_by',
  text: `select worker_id, count(*)::int as held from task_queue
         where workspace_id = $1 and worker_id is not null group by worker_id`,
}
// A list of unknown length as JSON, and one look for each in it: then PostgreSQL neither plans it anew each time nor reads
// all that waits.
const waitingIn = {
  name: 'tasks_waiting_in',
  text: `select w.id from jsonb_array_elements_text($1::jsonb) as w (id) where (
           select true from task_queue q
           where q.workspace_id = w.id::uuid and q.worker_id is null and q.not_before <= now() limit 1)`,
}

/** Getting leases: one round for one workspace. */
export function createTaking(deps: { events: Events; models: Models; leaseMs: number; limits: QueueLimits }) {
  const { models, limits } = deps
  return {
    /** Of these workspaces, those in which something could be assigned; one cheap look for all of an idle fleet. */
    async waitingIn(db: Pick<Db, 'askAsSystem'>, workspaceIds: string[]): Promise<string[]> {
      return (await db.askAsSystem<{ id: string }>(waitingIn, [JSON.stringify(workspaceIds)])).map(
        (row) => row.id,
      )
    },

    /**
     * Leases what fits to these workers, at most a hundred tasks. The caller holds the lock of assignment and has asked
     * behind it who may have tasks: rounds of one workspace happen one after the other on all hubs, so that the bound on
     * running tasks is exact and no slot is given twice.
     */
    async takeRound(
      tx: Tx,
      round: {
        workspaceId: string
        workers: (Able & { slots: number; machine: Machine })[]
        inactiveRepos: string[]
      },
    ): Promise<ClaimedRow[]> {
      const { workspaceId } = round
      const [isPausedNow, held, supply, usage] = await Promise.all([
        isPaused(tx),
        tx.query<{ worker_id: string; held: number }>(heldBy, [workspaceId]),
        models.supply(
          tx,
          round.workers.map((worker) => worker.machine),
        ),
        usageOf(tx, workspaceId),
      ])
      if (isPausedNow) return []
      const holds = new Map(held.map((row) => [row.worker_id, row.held]))
      const running = held.reduce((sum, row) => sum + row.held, 0)
      const workers = round.workers
        .map(({ workerId, name, walls, capabilities, slots }) => ({
          ...{ workerId, name, walls, capabilities },
          ...placeable(supply, workerId, usage),
          free: slots - (holds.get(workerId) ?? 0),
        }))
        .filter((worker) => worker.free > 0)
      const free = workers.reduce((sum, worker) => sum + worker.free, 0)
      const limit = Math.min(free, limits.maxRunning - running, roundSize)
      if (limit <= 0) return []
      const { inactiveRepos } = round
      const query = { workspaceId, workers, inactiveRepos, limit, modelWaitMs: supply.waitMs }
      const placed = dispatch(await lockCandidates(tx, query), workers, limit, { supply, usage })
      return placed.length === 0 ? [] : lease(tx, deps, workspaceId, placed)
    },
  }
}

async function lease(
  tx: Tx,
  { events, leaseMs }: { events: Events; leaseMs: number },
  workspaceId: string,
  placed: Placement[],
): Promise<ClaimedRow[]> {
  const leased = await tx.query<ClaimedRow>(leaseMany, [
    workspaceId,
    leaseMs,
    placed.map((each) => each.taskId),
    placed.map((each) => each.worker.workerId),
    placed.map((each) => each.worker.name),
    placed.map(() => newId()),
    placed.map(({ reason, candidates, worker, routed }) =>
      JSON.stringify({
        reason,
        candidates,
        worker: worker.name,
        model: routed?.model ?? null,
        routing: routed?.routing ?? null,
        endpointId: routed?.endpointId ?? null,
      }),
    ),
  ])
  const reasons = new Map(placed.map((each) => [each.taskId, each.reason]))
  await events.publishAll(
    tx,
    systemActor(workspaceId),
    leased.map((task) => ({
      kind: 'task.assigned',
      taskId: task.id,
      runId: task.run_id,
      data: {
        workerId: task.worker_id,
        worker: task.worker,
        epoch: task.epoch,
        attempt: task.attempt,
        reason: reasons.get(task.id),
      },
    })),
  )
  return leased
}
