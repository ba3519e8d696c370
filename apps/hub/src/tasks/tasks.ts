import { taskMay, taskStates, type TaskAction } from '@muster/contract/task-states'
import type { Task, TaskCreate, TaskRow } from '@muster/contract/tasks'
import type { Agents } from '../agents/agents.ts'
import type { Actor } from '../kernel/actor.ts'
import { pageAfter, pageOf } from '../kernel/cursor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import type { Repos } from '../repos/repos.ts'
import { enqueue } from './enqueue.ts'
import { explain } from './explain.ts'
import * as fence from './sql/fence.ts'
import * as store from './store.ts'
import { submit } from './submit.ts'

export type Tasks = ReturnType<typeof createTasks>

/** What people do with tasks. What workers do with them is in lease.ts; both write state and event together. */
export function createTasks(deps: { agents: Agents; repos: Repos; events: Events; hints: Hints }) {
  const { agents, events, hints } = deps

  const found = async (tx: Tx, ref: string) => {
    const row = await store.find(tx, ref)
    if (row === undefined) throw new MusterError('not_found', `No task has the id ${ref}.`)
    return row
  }
  const view = async (tx: Tx, row: store.StoredTask): Promise<Task> => {
    const needs = await store.dependencies(tx, row.id)
    const workers = row.state === 'queued' ? await agents.list(tx, await busy(tx)) : []
    const unmet = needs.filter((task) => task.state !== 'done')
    const reason = explain({ state: row.state, reason: row.reason, wall: row.spec.wall, unmet }, workers)
    return store.toTask(row, { after: needs.map((task) => task.id), reason })
  }
  const locked = async (tx: Tx, ref: string, action: TaskAction) => {
    const row = await store.lock(tx, (await found(tx, ref)).id)
    if (row === undefined) throw new MusterError('not_found', `No task has the id ${ref}.`)
    if (!taskMay(action, row.state)) {
      throw new MusterError(
        'task_state_refuses',
        `This task is ${row.state}; it cannot be ${pastOf[action]} now.`,
      )
    }
    return row
  }

  return {
    submit: async (tx: Tx, actor: Actor, input: TaskCreate) => view(tx, await submit(deps, tx, actor, input)),

    get: async (tx: Tx, ref: string): Promise<Task> => view(tx, await found(tx, ref)),

    idOf: async (tx: Tx, ref: string): Promise<string> => (await found(tx, ref)).id,

    async list(
      tx: Tx,
      query: {
        state?: string | undefined
        repo?: string | undefined
        limit: number
        cursor?: string | undefined
      },
    ): Promise<{ items: TaskRow[]; nextCursor: string | null }> {
      const rows = await store.list(tx, {
        states: statesOf(query.state),
        repo: query.repo ?? null,
        before: pageAfter(query.cursor),
        limit: query.limit + 1,
      })
      return pageOf(rows, query.limit, store.toTaskRow)
    },

    /**
     * Ends a task now. The raised epoch refuses whatever its run still sends. Answers the lease that was cut short,
     * so that the room of runs can end the run and tell its worker.
     */
    async cancel(tx: Tx, actor: Actor, ref: string) {
      // The queue row first and the task second, as every write of a run does: two orders would deadlock.
      await tx.query(fence.leave, [actor.workspaceId, (await found(tx, ref)).id])
      const row = await locked(tx, ref, 'cancel')
      // A retry, or the end of a parent, that was under way put its queue row there only now. Left behind, it would make
      // every claim of the workspace fail, because an ended task cannot be assigned.
      await tx.query(fence.leave, [actor.workspaceId, row.id])
      await store.end(tx, {
        workspaceId: row.workspace_id,
        id: row.id,
        state: 'cancelled',
        ending: 'cancelled',
        reason: `Cancelled by ${actor.label}.`,
        raiseEpoch: true,
      })
      await events.publish(tx, actor, {
        kind: 'task.cancelled',
        taskId: row.id,
        ...(row.run_id === null ? {} : { runId: row.run_id }),
        data: { epoch: row.epoch, was: row.state },
      })
      const held =
        row.worker_id === null ? null : { taskId: row.id, epoch: row.epoch, workerId: row.worker_id }
      return { task: await view(tx, await found(tx, row.id)), held }
    },

    async retry(tx: Tx, actor: Actor, ref: string): Promise<Task> {
      const row = await locked(tx, ref, 'retry')
      const isOpen = (await store.dependencies(tx, row.id)).some((needed) => needed.state !== 'done')
      const state = isOpen ? 'waiting' : 'queued'
      await store.reopen(tx, row.id, state)
      await events.publish(tx, actor, { kind: 'task.retried', taskId: row.id, data: { state } })
      if (!isOpen) await enqueue(tx, hints, row)
      return view(tx, await found(tx, row.id))
    },

    /** Leases held, by worker. */
    busy,
  }
}

const pastOf = { cancel: 'cancelled', retry: 'retried' } as const

export async function busy(tx: Tx): Promise<Map<string, number>> {
  const rows = await tx.query<{ worker_id: string; held: number }>({
    name: 'tasks_busy',
    text: `select worker_id, count(*)::int as held from task_queue where worker_id is not null group by worker_id`,
  })
  return new Map(rows.map((row) => [row.worker_id, row.held]))
}

/** What one worker holds, by whether it has accepted it. */
export async function holds(tx: Tx, { workspaceId, workerId }: { workspaceId: string; workerId: string }) {
  const [row] = await tx.query<{ assigned: number; accepted: number }>(
    {
      name: 'tasks_holds',
      text: `select count(*) filter (where accepted_at is null)::int as assigned, count(accepted_at)::int as accepted
             from task_queue where workspace_id = $1 and worker_id = $2`,
    },
    [workspaceId, workerId],
  )
  return row ?? { assigned: 0, accepted: 0 }
}

function statesOf(state: string | undefined): string[] | null {
  if (state === undefined) return null
  const wanted = state.split(',')
  const unknown = wanted.find((each) => !(taskStates as readonly string[]).includes(each))
  if (unknown !== undefined) {
    throw new MusterError('invalid_request', `state: ${unknown} is none of ${taskStates.join(', ')}`)
  }
  return wanted
}
