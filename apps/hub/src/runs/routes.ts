import type { Handlers } from '../kernel/handler.ts'
import type { Events } from '../kernel/events.ts'
import { pageAfter, pageOf } from '../kernel/cursor.ts'
import type { Agents } from '../agents/agents.ts'
import { onEach } from '../tasks/bulk.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Runs } from './runs.ts'
import * as steps from './step-store.ts'
import * as store from './store.ts'

type Names =
  | 'deleteTask'
  | 'deleteTasks'
  | 'stopWorker'
  | 'stopQueue'
  | 'cancelTask'
  | 'taskRuns'
  | 'taskLog'
  | 'taskDiff'
  | 'taskSteps'
  | 'listRuns'
  | 'listEvents'

export function runRoutes({
  runs,
  tasks,
  agents,
  events,
}: {
  agents: Agents
  runs: Runs
  tasks: Tasks
  events: Events
}): Handlers<Names> {
  return {
    cancelTask: ({ actor, params, inTransaction }) =>
      inTransaction((tx) => runs.cancel(tx, actor, params.task)),
    deleteTask: ({ actor, params, inTransaction }) =>
      inTransaction(async (tx) => {
        await runs.remove(tx, actor, params.task)
        return { ok: true as const }
      }),
    deleteTasks: ({ actor, body, inTransaction }) =>
      inTransaction((tx) => onEach(tx, body, (id) => runs.remove(tx, actor, id))),
    stopWorker: ({ actor, params, body, inTransaction }) =>
      inTransaction(async (tx) => {
        const why = body.reason ?? `Stopped by ${actor.label}.`
        const id = await agents.cordon(tx, actor, params.worker, why)
        await events.publish(tx, actor, { kind: 'worker.stopped', data: { workerId: id, why } })
        return runs.stop(tx, actor, { id }, why)
      }),
    stopQueue: ({ actor, inTransaction }) =>
      inTransaction(async (tx) => {
        await tasks.queue.pause(tx, actor)
        await events.publish(tx, actor, { kind: 'queue.stopped' })
        return runs.stop(tx, actor, null, `Stopped by ${actor.label}.`)
      }),
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
    taskSteps: ({ params, query, inTransaction }) =>
      inTransaction(async (tx) => {
        const { after, limit, run = null } = query
        const taskId = await tasks.idOf(tx, params.task)
        const items = await steps.read(tx, { taskId, run, after, limit })
        return { items, nextAfter: items.length === limit ? (items.at(-1)?.seq ?? null) : null }
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
