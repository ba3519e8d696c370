import { z } from 'zod'
import { wallKind } from './task-states.ts'
import { id, timestamp } from './text.ts'

export const wallStatus = z.object({
  kind: wallKind,
  ok: z.boolean(),
  detail: z.string().max(2_000),
  fix: z.string().max(2_000).optional(),
})
export type WallStatus = z.infer<typeof wallStatus>

export const worker = z.object({
  id,
  name: z.string(),
  connected: z.boolean(),
  /** What it last said about itself; empty if nothing. */
  status: z.string(),
  version: z.string().nullable(),
  slots: z.int(),
  busy: z.int(),
  walls: z.array(wallStatus),
  host: z.string().nullable(),
  lastSeenAt: timestamp.nullable(),
  createdAt: timestamp,
})
export type Worker = z.infer<typeof worker>
