import { z } from 'zod'
import { ending, lane } from './task-states.ts'
import { id, slugName } from './text.ts'

/** The queue of a workspace at one moment. */
export const queue = z.object({
  /** Nothing is assigned while it is paused; what runs goes on. */
  paused: z.boolean(),
  running: z.int(),
  /** At most this many tasks of the workspace run at once. */
  maxRunning: z.int(),
  waiting: z.int(),
  /** Beyond this many waiting tasks a new one is refused. */
  maxWaiting: z.int(),
  byLane: z.array(z.object({ lane, waiting: z.int() })),
  oldestWaitMs: z.int().nullable(),
  dead: z.int(),
})
export type Queue = z.infer<typeof queue>

/** Which ended tasks a bulk verb is about: named ones, or all that fit. */
export const taskSelection = z
  .strictObject({
    ids: z.array(id).min(1).max(200).optional(),
    ending: ending.optional(),
    repo: slugName.optional(),
    /** At most so many in one request; repeat it while `more` is true. */
    limit: z.int().min(1).max(200).default(200),
  })
  .describe('Ended tasks: by id, or the dead ones that fit')
export type TaskSelection = z.infer<typeof taskSelection>

/** What a bulk verb did, task by task; a refused one does not stop the others. */
export const bulkResult = z.object({
  changed: z.array(id),
  refused: z.array(z.object({ id, code: z.string(), message: z.string() })),
  more: z.boolean(),
})
export type BulkResult = z.infer<typeof bulkResult>

export const pushTo = z.strictObject({ worker: slugName })
export const stopped = z.object({
  /** Tasks whose runs were stopped and that are queued again. */
  requeued: z.int(),
  /** Workers that were told at once; the others stop when their lease ends. */
  told: z.int(),
})
