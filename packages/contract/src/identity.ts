import { z } from 'zod'
import { id, line, timestamp } from './text.ts'

export const tokenKinds = ['person', 'worker'] as const

export const tokenCreate = z.strictObject({
  name: line(64),
  kind: z.enum(tokenKinds).default('person'),
  /** Days until it ends; personal tokens default to 90, worker tokens do not end by themselves. */
  expiresInDays: z.int().min(1).max(3_650).optional(),
})

export const token = z.object({
  id,
  name: z.string(),
  kind: z.enum(tokenKinds),
  createdAt: timestamp,
  lastUsedAt: timestamp.nullable(),
  expiresAt: timestamp.nullable(),
  revokedAt: timestamp.nullable(),
})
export type Token = z.infer<typeof token>

export const tokenCreated = token.extend({ secret: z.string() })

export const signIn = z.strictObject({
  link: z.string().max(256).optional(),
  password: z.string().max(1_024).optional(),
})

export const passwordSet = z.strictObject({
  current: z.string().max(1_024).optional(),
  password: z.string().min(12, 'must have at least 12 characters').max(1_024),
})

export const me = z.object({
  actor: z.string(),
  kind: z.enum(tokenKinds),
  workspace: z.object({ id, name: z.string() }),
  hasPassword: z.boolean(),
})
export type Me = z.infer<typeof me>

export const signInLink = z.object({ url: z.string(), expiresAt: timestamp })
