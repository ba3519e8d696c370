import type { Handlers } from '../kernel/handler.ts'
import type { Events } from '../kernel/events.ts'
import { pageAfter, pageOf } from '../kernel/cursor.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Runs } from './runs.ts'
import * as store from './store.ts'

type Names = 'cancelTask' | 'taskRuns' | 'taskLog' | 'taskDiff' | 'listRuns' | 'listEvents'

export function runRoutes({
  runs,
  tasks,
  events,
}: {
  runs: Runs
  tasks: Tasks
  events: Events
}): Handlers<Names> {
  return {
    cancelTask: ({ actor, params, inTransaction }) =>
      inTransaction((tx) => runs.cancel(tx, actor, params.task)),
    taskRuns: ({ params, inTransaction }) =>
      inTransaction(async (tx) => {
        const rows = await store.ofTask(tx, await tasks.idOf(tx, params.task))
        return { items: rows.map(store.toRun), nextCursor: null }
      }),
    taskLog: ({ params, query, inTransaction }) =>
      inTransaction(async (tx) => {
        const items = await store.readOutput(tx, await tasks.idOf(tx, params.task), query.after, query.limit)
        return { items, nextAfter: items.length === query.limit ? (items.at(-1)?.seq ?? null) : null }
      }),
    taskDiff: ({ params, inTransaction }) =>
      inTransaction(async (tx) => {
        const last = await store.lastDiff(tx, await tasks.idOf(tx, params.task))
        return {
          base: last?.base ?? null,
          commit: last?.commit ?? null,
          branch: last?.branch ?? null,
          diff: last?.diff ?? '',
          truncated: last?.diff_truncated ?? false,
        }
      }),
    listRuns: ({ query, inTransaction }) =>
      inTransaction(async (tx) =>
        pageOf(await store.list(tx, pageAfter(query.cursor), query.limit + 1), query.limit, store.toRun),
      ),
    listEvents: ({ query, inTransaction }) =>
      inTransaction(async (tx) => {
        const items = await events.read(tx, query)
        return { items, nextCursor: items.length === query.limit ? (items.at(-1)?.cursor ?? null) : null }
      }),
  }
}
