import type { Agents } from '../agents/agents.ts'
import type { Queue as QueueView } from '@muster/contract/queue'
import { lanes } from '@muster/contract/task-states'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import type { QueueLimits } from './limits.ts'
import { isPaused, setPaused } from './settings.ts'

// How long an answer to "is there room?" is believed: within it a hub may take in a few more than the limit.
const admissionMs = 1_000

/** Stops at the limit, so that it costs the same however much waits. */
const isFull = {
  name: 'tasks_queue_is_full',
  text: `select 1 from task_queue where workspace_id = $1 and worker_id is null offset $2 limit 1`,
}

export type Queue = ReturnType<typeof createQueue>

/** The queue of a workspace as a whole. */
export function createQueue(deps: { agents: Agents; events: Events; hints: Hints; limits: QueueLimits }) {
  const { events, hints, limits } = deps
  const asked = new Map<string, { at: number; full: boolean }>()

  const setTo = async (tx: Tx, actor: Actor, paused: boolean): Promise<QueueView> => {
    await deps.agents.lockAssignment(tx, actor.workspaceId)
    await setPaused(tx, actor.workspaceId, paused)
    await events.publish(tx, actor, { kind: paused ? 'queue.paused' : 'queue.resumed' })
    tx.afterCommit(() => hints.send('queue'))
    return read(tx)
  }
  const read = async (tx: Tx): Promise<QueueView> => {
    const [[sums], waiting, paused] = [
      await tx.query<{ running: number; oldest: number | null; dead: number }>(totals),
      await tx.query<{ lane: number; waiting: number }>(byLane),
      await isPaused(tx),
    ]
    return {
      paused,
      running: sums?.running ?? 0,
      maxRunning: limits.maxRunning,
      waiting: waiting.reduce((sum, row) => sum + row.waiting, 0),
      maxWaiting: limits.maxWaiting,
      byLane: lanes.map((lane, at) => ({
        lane,
        waiting: waiting.find((row) => row.lane === at)?.waiting ?? 0,
      })),
      oldestWaitMs: sums?.oldest ?? null,
      dead: sums?.dead ?? 0,
    }
  }

  return {
    read,
    pause: (tx: Tx, actor: Actor) => setTo(tx, actor, true),
    resume: (tx: Tx, actor: Actor) => setTo(tx, actor, false),

    /** Refuses a new task while as many wait as may (I-16: no queue without a bound). */
    async mustAdmit(tx: Tx, workspaceId: string): Promise<void> {
      const now = performance.now()
      let last = asked.get(workspaceId)
      if (last === undefined || now - last.at > admissionMs) {
        const rows = await tx.query(isFull, [workspaceId, limits.maxWaiting - 1])
        last = { at: now, full: rows.length > 0 }
        asked.set(workspaceId, last)
      }
      if (last.full) {
        throw new MusterError(
          'too_many_waiting',
          `${limits.maxWaiting} tasks of this workspace wait already.`,
        )
      }
    },
  }
}

const totals = {
  name: 'tasks_queue_totals',
  text: `select
    (select count(*)::int from task_queue where worker_id is not null) as running,
    (select floor(extract(epoch from now() - min(enqueued_at)) * 1000)::float8 from task_queue
      where worker_id is null and not_before <= now()) as oldest,
    (select count(*)::int from tasks where state = 'dead' and ending <> 'verified') as dead`,
}
const byLane = {
  name: 'tasks_queue_by_lane',
  text: `select lane, count(*)::int as waiting from task_queue where worker_id is null group by lane`,
}
