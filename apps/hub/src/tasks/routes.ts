import type { Handlers } from '../kernel/handler.ts'
import type { Tasks } from './tasks.ts'

export function taskRoutes({
  tasks,
}: {
  tasks: Tasks
}): Handlers<'listTasks' | 'createTask' | 'getTask' | 'retryTask'> {
  return {
    listTasks: ({ query, inTransaction }) => inTransaction((tx) => tasks.list(tx, query)),
    createTask: ({ actor, body, inTransaction }) => inTransaction((tx) => tasks.submit(tx, actor, body)),
    getTask: ({ params, inTransaction }) => inTransaction((tx) => tasks.get(tx, params.task)),
    retryTask: ({ actor, params, inTransaction }) =>
      inTransaction((tx) => tasks.retry(tx, actor, params.task)),
  }
}
