import { z } from 'zod'
import { check, checkResult, proof } from './checks.ts'
import { chosenModel, modelName } from './loop.ts'
import { routing } from './models.ts'
import { ending, lane, taskState, tier, wallKind } from './task-states.ts'
import { commitId, id, line, slugName, text, timestamp } from './text.ts'

export const network = z
  .string()
  .max(2_000)
  .regex(/^(none|local|full|allow:.+)$/, 'must be none, local, full or allow:NAMES')

/** A task as somebody hands it in. */
export const taskCreate = z.strictObject({
  /** Without one, the first active repository of the workspace. */
  repo: slugName.optional(),
  title: line(256),
  description: text(10_000).optional(),
  /** A shell command, run by `sh -c` inside the wall with the repository at /workspace. */
  run: text(32_000).min(1).optional(),
  /** What is to be done, in words, for an agent with a model. Either this or `run`. */
  prompt: text(32_000).min(1).optional(),
  /** The only model that may do it, by name; without one, routing chooses by tier. */
  model: modelName.optional(),
  /** The script of the practice model, as JSON: a rehearsal without intelligence. */
  practice: text(64_000).min(1).optional(),
  /** How often failed checks go back to the model (VERIF-04). */
  fixes: z.int().min(0).max(5).default(3),
  /** What all runs of this task together may spend on models. */
  budgetUsd: z.number().min(0).max(10_000).optional(),
  checks: z.array(check).max(64).default([]),
  lane: lane.default('normal'),
  /** Without one, what the words of the task suggest. */
  tier: tier.optional(),
  /** Capabilities that the worker must have declared, every one of them. */
  needs: z.array(slugName).max(16).default([]),
  /** Only this worker may run it. */
  worker: slugName.optional(),
  /** Files that the work is probably about. */
  fileHints: z.array(text(512).min(1)).max(64).default([]),
  /** What must be true at the end, in words; the checks are what is executed. */
  criteria: z.array(text(1_000).min(1)).max(32).default([]),
  /** Kept and shown, never read by Muster. */
  metadata: z.record(z.string().min(1).max(64), text(1_000)).default({}),
  /** Tasks that must be done before this one starts. */
  after: z.array(id).max(64).default([]),
  wall: wallKind.default('namespace'),
  network: network.default('none'),
  /** Globs of proof-defining files that the task is allowed to change. */
  mayChange: z.array(text(512).min(1)).max(64).default([]),
  /** Accept a run that changes nothing; without it such a run proves nothing. */
  allowEmpty: z.boolean().default(false),
  /** Deadline around everything, verification included, counted from the assignment. Default by tier. */
  timeoutMs: z.int().min(1_000).max(86_400_000).optional(),
  /** How often a failed run is tried again. Default 1 for a command, 3 for everything else. */
  retries: z.int().min(0).max(10).optional(),
  /** Not before this long from now. */
  delayMs: z
    .int()
    .min(0)
    .max(30 * 86_400_000)
    .optional(),
  /** Unclaimed for this long, the task is dead. */
  ttlMs: z
    .int()
    .min(1_000)
    .max(30 * 86_400_000)
    .optional(),
  /** Not done by then, the task is dead, whatever it is doing. */
  completeBy: timestamp.optional(),
})
export type TaskCreate = z.infer<typeof taskCreate>
export type TaskCreateInput = z.input<typeof taskCreate>

/** An assignment explained, from the code that made it (SCHED-06). */
export const decision = z.object({
  worker: z.string(),
  reason: z.string(),
  /** The workers of this hub that had a free slot, at most ten. */
  candidates: z.array(z.object({ worker: z.string(), free: z.int(), fits: z.boolean(), why: z.string() })),
  /** The model that the run asks; null for a command. */
  model: chosenModel.nullable().optional(),
  /** Why that one; null for a command. */
  routing: routing.nullable().optional(),
  at: timestamp,
})
export type Decision = z.infer<typeof decision>

/** One task in a list: no bodies. */
export const taskRow = z.object({
  id,
  /** The last eight characters of the id; accepted wherever a task id is. */
  short: z.string(),
  title: z.string(),
  repo: z.string(),
  state: taskState,
  ending: ending.nullable(),
  lane,
  tier,
  attempt: z.int(),
  /** Failed runs so far, of `retries` that are tried again. */
  failures: z.int(),
  retries: z.int(),
  /** A queued task is not claimed before this time: a delay, or the wait before another try. */
  notBefore: timestamp.nullable(),
  /** What the run is doing right now, while there is one. */
  phase: z.string().nullable(),
  worker: z.string().nullable(),
  branch: z.string().nullable(),
  commit: commitId.nullable(),
  createdAt: timestamp,
  startedAt: timestamp.nullable(),
  endedAt: timestamp.nullable(),
})
export type TaskRow = z.infer<typeof taskRow>

export const task = taskRow.extend({
  description: z.string().nullable(),
  run: z.string().nullable(),
  prompt: z.string().nullable(),
  /** The model that was asked for by name. */
  model: z.string().nullable(),
  /** Whether the practice model plays it. */
  practice: z.boolean(),
  fixes: z.int(),
  budgetUsd: z.number().nullable(),
  declaredChecks: z.array(z.object({ kind: z.string(), target: z.string() })),
  after: z.array(id),
  needs: z.array(z.string()),
  /** The only worker that may run it, if one was named. */
  onlyWorker: z.string().nullable(),
  fileHints: z.array(z.string()),
  criteria: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
  /** What the words of the task suggested, whatever was asked for. */
  guessedTier: tier,
  completeBy: timestamp.nullable(),
  expiresAt: timestamp.nullable(),
  /** Why the last assignment went where it went, and who else was asked. */
  assigned: decision.nullable(),
  wall: wallKind,
  network: z.string(),
  mayChange: z.array(z.string()),
  allowEmpty: z.boolean(),
  timeoutMs: z.int(),
  epoch: z.int(),
  deadlineAt: timestamp.nullable(),
  createdBy: z.string(),
  /** One sentence: why the task waits, or why it ended as it did. */
  reason: z.string().nullable(),
  /** Results of the checks of the last run that got so far. */
  checks: z.array(checkResult),
  /** Files that define the proof, were changed by the run and were therefore taken from the base for the checks. */
  proof: proof.nullable(),
  runId: id.nullable(),
})
export type Task = z.infer<typeof task>

export const taskListQuery = z.strictObject({
  state: z.string().max(256).optional(),
  repo: slugName.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(512).optional(),
})

export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() })
}

/** A task id, or the last 6 to 12 characters of one. */
export const taskRef = z
  .string()
  .regex(/^([0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{8})$/, 'must be a task id or its last 8 characters')
