import { z } from 'zod'
import { event } from './events.ts'
import { bulkResult, pushTo, queue, stopped, taskSelection } from './queue.ts'
import type { Route } from './route.ts'
import { task, taskRef } from './tasks.ts'

const taskParams = z.strictObject({ task: taskRef })
const nothing = z.strictObject({})

/** The queue as a whole, and what people do with ended tasks. */
export const queueRoutes = {
  getQueue: {
    method: 'GET',
    path: '/api/v1/queue',
    summary: 'How much waits and runs, and whether anything is assigned at all',
    who: 'person',
    status: 200,
    response: queue,
  },
  pauseQueue: {
    method: 'POST',
    path: '/api/v1/queue/pause',
    summary: 'Assign nothing until the queue is resumed; what runs goes on',
    who: 'person',
    body: nothing,
    status: 200,
    response: queue,
  },
  resumeQueue: {
    method: 'POST',
    path: '/api/v1/queue/resume',
    summary: 'Assign again',
    who: 'person',
    body: nothing,
    status: 200,
    response: queue,
  },
  stopQueue: {
    method: 'POST',
    path: '/api/v1/queue/stop',
    summary: 'Pause the queue and stop everything that runs; the tasks are queued again',
    who: 'person',
    body: nothing,
    status: 200,
    response: stopped,
  },
  pushTask: {
    method: 'POST',
    path: '/api/v1/tasks/:task/push',
    summary: 'Give a queued task to a named worker now',
    who: 'person',
    params: taskParams,
    body: pushTo,
    status: 200,
    response: task,
  },
  taskHistory: {
    method: 'GET',
    path: '/api/v1/tasks/:task/history',
    summary: 'The last 50 events of a task, oldest first',
    who: 'person',
    params: taskParams,
    status: 200,
    response: z.object({ items: z.array(event), nextCursor: z.null() }),
  },
  deleteTask: {
    method: 'DELETE',
    path: '/api/v1/tasks/:task',
    summary: 'Forget a dead or cancelled task with its runs and output; its events stay',
    who: 'person',
    params: taskParams,
    status: 200,
    response: z.object({ ok: z.literal(true) }),
  },
  retryTasks: {
    method: 'POST',
    path: '/api/v1/tasks/retry',
    summary: 'Queue many dead tasks again',
    who: 'person',
    body: taskSelection,
    status: 200,
    response: bulkResult,
  },
  deleteTasks: {
    method: 'POST',
    path: '/api/v1/tasks/delete',
    summary: 'Forget many dead or cancelled tasks',
    who: 'person',
    body: taskSelection,
    status: 200,
    response: bulkResult,
  },
} as const satisfies Record<string, Route>
