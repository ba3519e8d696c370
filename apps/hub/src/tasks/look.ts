import { taskMay, taskStates, type TaskAction } from '@muster/contract/task-states'
import type { Task, TaskRow } from '@muster/contract/tasks'
import type { Agents } from '../agents/agents.ts'
import { pageAfter, pageOf } from '../kernel/cursor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Repos } from '../repos/repos.ts'
import { explain, type Around } from './explain.ts'
import type { QueueLimits } from './limits.ts'
import { isPaused } from './settings.ts'
import * as store from './store.ts'

export type Look = ReturnType<typeof createLook>

const pastOf = { cancel: 'cancelled', retry: 'retried', delete: 'deleted', push: 'pushed' } as const
const nothingAround: Around = { workers: [], paused: false, running: 0, maxRunning: 0 }
// QUEUE-07.
const historyLength = 50

/** Tasks as people see them, and finding one for a verb. */
export function createLook(deps: { agents: Agents; repos: Repos; events: Events; limits: QueueLimits }) {
  const { agents, limits, events } = deps
  const found = async (tx: Tx, ref: string) => {
    const row = await store.find(tx, ref)
    if (row === undefined) throw new MusterError('not_found', `No task has the id ${ref}.`)
    return row
  }
  const around = async (tx: Tx): Promise<Around> => {
    const held = await busy(tx)
    const running = [...held.values()].reduce((sum, count) => sum + count, 0)
    const workers = await agents.list(tx, held)
    return { workers, paused: await isPaused(tx), running, maxRunning: limits.maxRunning }
  }
  const view = async (tx: Tx, row: store.StoredTask): Promise<Task> => {
    const needs = await store.dependencies(tx, row.id)
    const facts = row.state === 'queued' ? await around(tx) : nothingAround
    const repo = (await deps.repos.byIds(tx, [row.repo_id])).get(row.repo_id)
    const shown = {
      ...row,
      wall: row.spec.wall,
      needs: row.spec.needs,
      onlyWorker: row.spec.onlyWorkerId,
      onlyWorkerName: row.only_worker,
      notBefore: row.not_before,
      repo: { name: row.repo, active: repo?.active ?? false },
      unmet: needs.filter((task) => task.state !== 'done'),
    }
    return store.toTask(row, { after: needs.map((task) => task.id), reason: explain(shown, facts) })
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
    found,
    around,
    view,
    /** Locks a task whose state allows this verb. */
    locked,
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

    async history(tx: Tx, ref: string) {
      return { items: await events.lastOf(tx, (await found(tx, ref)).id, historyLength), nextCursor: null }
    },

    /** Leases held, by worker. */
    busy,
  }
}

async function busy(tx: Tx): Promise<Map<string, number>> {
  const rows = await tx.query<{ worker_id: string; held: number }>({
    name: 'tasks_busy',
    text: `select worker_id, count(*)::int as held from task_queue where worker_id is not null group by worker_id`,
  })
  return new Map(rows.map((row) => [row.worker_id, row.held]))
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
