import type { Handlers } from '../kernel/handler.ts'
import { onEach } from './bulk.ts'
import type { Tasks } from './tasks.ts'

type Names =
  | 'listTasks'
  | 'createTask'
  | 'getTask'
  | 'retryTask'
  | 'retryTasks'
  | 'pushTask'
  | 'taskHistory'
  | 'getQueue'
  | 'pauseQueue'
  | 'resumeQueue'

export function taskRoutes({ tasks }: { tasks: Tasks }): Handlers<Names> {
  return {
    listTasks: ({ query, inTransaction }) => inTransaction((tx) => tasks.list(tx, query)),
    createTask: ({ actor, body, keyed }) => tasks.handIn(actor, body, keyed()),
    getTask: ({ params, inTransaction }) => inTransaction((tx) => tasks.get(tx, params.task)),
    retryTask: ({ actor, params, inTransaction }) =>
      inTransaction((tx) => tasks.retry(tx, actor, params.task)),
    retryTasks: ({ actor, body, inTransaction }) =>
      inTransaction((tx) => onEach(tx, body, (id) => tasks.retry(tx, actor, id))),
    pushTask: ({ actor, params, body, inTransaction }) =>
      inTransaction((tx) => tasks.push(tx, actor, params.task, body.worker)),
    taskHistory: ({ params, inTransaction }) => inTransaction((tx) => tasks.history(tx, params.task)),
    getQueue: ({ inTransaction }) => inTransaction((tx) => tasks.queue.read(tx)),
    pauseQueue: ({ actor, inTransaction }) => inTransaction((tx) => tasks.queue.pause(tx, actor)),
    resumeQueue: ({ actor, inTransaction }) => inTransaction((tx) => tasks.queue.resume(tx, actor)),
  }
}
