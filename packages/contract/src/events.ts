import { z } from 'zod'
import { id, timestamp } from './text.ts'

/** Facts, written in the transaction that makes them true. Readers keep a cursor and never miss one. */
export const eventKinds = [
  'workspace.created',
  'token.created',
  'token.revoked',
  'person.signed_in',
  'person.password_set',
  'repo.added',
  'repo.activated',
  'repo.deactivated',
  'worker.connected',
  'worker.disconnected',
  'worker.evicted',
  'worker.state_changed',
  'worker.walls_changed',
  'worker.status_changed',
  'worker.blocked',
  'worker.unblocked',
  'worker.restart_ordered',
  'worker.restarting',
  'message.posted',
  'channel.created',
  'channel.joined',
  'channel.left',
  'worker.cordoned',
  'worker.uncordoned',
  'worker.flagged',
  'worker.stopped',
  'task.created',
  'task.assigned',
  'task.woken',
  'task.wake_failed',
  'task.accepted',
  'task.phase',
  'task.requeued',
  'task.retrying',
  'task.quiet',
  'task.lane_raised',
  'task.pushed',
  'task.late_result',
  'task.released',
  'task.done',
  'task.dead',
  'task.cancelled',
  'task.retried',
  'task.deleted',
  'queue.paused',
  'queue.resumed',
  'queue.stopped',
  'run.step',
  'run.resumed',
  'run.parked',
  'run.publish_granted',
  'run.refused_stale',
] as const

export const event = z.object({
  /** Opaque; pass it as `after` to read on. */
  cursor: z.string(),
  kind: z.enum(eventKinds),
  taskId: id.nullable(),
  runId: id.nullable(),
  actor: z.string(),
  data: z.record(z.string(), z.unknown()),
  at: timestamp,
})
export type Event = z.infer<typeof event>
export type EventKind = (typeof eventKinds)[number]

export const eventListQuery = z.strictObject({
  after: z.string().max(64).optional(),
  taskId: id.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
