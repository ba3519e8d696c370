import { z } from 'zod'
import { event } from './events.ts'
import { outputChunk } from './runs.ts'
import { id } from './text.ts'

/** What a page or a command sends on /api/v1/live. May be sent again to change what is followed. */
export const liveSubscribe = z.strictObject({
  type: z.literal('subscribe'),
  /** Cursor of the last event seen; absent: from now on. */
  after: z.string().max(64).optional(),
  /** Follow the output of one task, from the chunk after `after`. */
  output: z.strictObject({ taskId: id, after: z.int().min(0).default(0) }).optional(),
})

export const liveMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('event'), event }),
  z.object({ type: z.literal('output'), taskId: id, chunk: outputChunk }),
  /** Short-lived news that is not kept, such as the progress of a clone. */
  z.object({ type: z.literal('progress'), taskId: id, text: z.string(), percent: z.number().nullable() }),
  /** What the model of a run says at this moment; what is kept of it is the step. */
  z.object({ type: z.literal('delta'), taskId: id, channel: z.enum(['text', 'thinking']), text: z.string() }),
  /** Everything up to here has been sent. */
  z.object({ type: z.literal('caught_up'), cursor: z.string() }),
])
export type LiveMessage = z.infer<typeof liveMessage>
