import { z } from 'zod'
import { stopped } from './queue.ts'
import type { Route } from './route.ts'
import { slugName } from './text.ts'
import { worker } from './workers.ts'

const params = z.strictObject({ worker: slugName })
const reason = z.strictObject({ reason: z.string().trim().max(256).optional() })

/** What people do with a worker. */
export const workerVerbs = {
  cordonWorker: {
    method: 'POST',
    path: '/api/v1/workers/:worker/cordon',
    summary: 'Give this worker no new task; what it runs goes on. Drained when it holds nothing any more',
    who: 'person',
    params,
    body: reason,
    status: 200,
    response: worker,
  },
  uncordonWorker: {
    method: 'POST',
    path: '/api/v1/workers/:worker/uncordon',
    summary: 'Let this worker have tasks again',
    who: 'person',
    params,
    body: z.strictObject({}),
    status: 200,
    response: worker,
  },
  stopWorker: {
    method: 'POST',
    path: '/api/v1/workers/:worker/stop',
    summary: 'Stop everything this worker runs and cordon it; its tasks are queued again',
    who: 'person',
    params,
    body: reason,
    status: 200,
    response: stopped,
  },
} as const satisfies Record<string, Route>
