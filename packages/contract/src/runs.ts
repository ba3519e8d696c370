import { z } from 'zod'
import { report } from './checks.ts'
import { chosenModel } from './loop.ts'
import { ending, executors, runPhase } from './task-states.ts'
import { commitId, id, timestamp } from './text.ts'

export const partial = z
  .object({
    done: z.array(z.string().max(500)).max(100).describe('What is proven.'),
    remaining: z.array(z.string().max(500)).max(100).describe('What is not.'),
  })
  .meta({
    title: 'partial',
    description: 'Work that was stopped at a limit: what is proven and what is not.',
  })

/** One attempt at a task by one agent on one worker. */
export const run = z.object({
  id,
  taskId: id,
  attempt: z.int(),
  epoch: z.int(),
  worker: z.string(),
  agent: z.string(),
  wall: z.string(),
  executor: z.enum(executors),
  /** The model that was asked; null for a command. */
  model: chosenModel.nullable(),
  /** Steps that this run recorded, and the first run of the line of work that it went on with. */
  steps: z.int(),
  line: id.nullable(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  /** Of its model, in millionths of a US dollar; and what a paid model would have cost instead of a local one. */
  costMicroUsd: z.int(),
  savedMicroUsd: z.int(),
  /** Of work that was stopped at a limit: what is proven and what is not. */
  partial: partial.nullable(),
  phase: runPhase.nullable(),
  ending: ending.nullable(),
  /** One sentence on the ending: the exit code, the limit that was hit, the check that failed. */
  reason: z.string().nullable(),
  exitCode: z.int().nullable(),
  base: commitId.nullable(),
  commit: commitId.nullable(),
  branch: z.string().nullable(),
  report: report.nullable(),
  startedAt: timestamp,
  endedAt: timestamp.nullable(),
})
export type Run = z.infer<typeof run>

export const outputChunk = z.object({
  /** Grows within a task; the cursor for reading on. */
  seq: z.int(),
  runId: id,
  stream: z.enum(['stdout', 'stderr', 'system']),
  text: z.string(),
  at: timestamp,
})
export type OutputChunk = z.infer<typeof outputChunk>

export const taskLogQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(500),
})
export const taskLog = z.object({ items: z.array(outputChunk), nextAfter: z.int().nullable() })

export const taskDiff = z.object({
  base: commitId.nullable(),
  commit: commitId.nullable(),
  branch: z.string().nullable(),
  /** Unified diff, at most 1 MiB; `truncated` says that there was more. */
  diff: z.string(),
  truncated: z.boolean(),
})
