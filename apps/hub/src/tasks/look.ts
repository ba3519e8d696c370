import { taskMay, taskStates, type TaskAction } from '@muster/contract/task-states'
import type { Task, TaskRow } from '@muster/contract/tasks'
import type { Agents } from '../agents/agents.ts'
import { pageAfter, pageOf } from '../kernel/cursor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Models } from '../models/models.ts'
import type { Repos } from '../repos/repos.ts'
import type { QueueLimits } from './limits.ts'
import * as store from './store.ts'
import { busy, createView } from './view.ts'

export type Look = ReturnType<typeof createLook>

const pastOf = { cancel: 'cancelled', retry: 'retried', delete: 'deleted', push: 'pushed' } as const
// QUEUE-07.
const historyLength = 50

/** Tasks as people see them, and finding one for a verb. */
export function createLook(deps: {
  agents: Agents
  models: Models
  repos: Repos
  events: Events
  limits: QueueLimits
}) {
  const { events } = deps
  const found = async (tx: Tx, ref: string) => {
    const row = await store.find(tx, ref)
    if (row === undefined) throw new MusterError('not_found', `No task has the id ${ref}.`)
    return row
  }
  const { around, view, factsOf, show } = createView(deps)
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
    factsOf,
    show,
    /** Locks a task whose state allows this verb. */
    locked,
    get: async (tx: Tx, ref: string): Promise<Task> => view(tx, await found(tx, ref)),
    idOf: async (tx: Tx, ref: string): Promise<string> => (await found(tx, ref)).id,

    /** What branches are named after. */
    namesOf: store.namesOf,

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

function statesOf(state: string | undefined): string[] | null {
  if (state === undefined) return null
  const wanted = state.split(',')
  const unknown = wanted.find((each) => !(taskStates as readonly string[]).includes(each))
  if (unknown !== undefined) {
    throw new MusterError('invalid_request', `state: ${unknown} is none of ${taskStates.join(', ')}`)
  }
  return wanted
}
