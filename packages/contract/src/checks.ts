import { z } from 'zod'
import { commitId, text } from './text.ts'

export const checkKinds = ['file_exists', 'command_succeeds', 'test_passes', 'git_clean'] as const

/** What the platform executes to prove a task; `target` is a path, a command, `auto` or empty by kind. */
export const check = z
  .strictObject({
    kind: z.enum(checkKinds),
    target: text(4_000).default(''),
    timeoutMs: z.int().min(1_000).max(3_600_000).optional(),
  })
  .superRefine((value, context) => {
    if (value.kind === 'git_clean' && value.target !== '') {
      context.addIssue({ code: 'custom', path: ['target'], message: 'git_clean takes no target' })
    }
    if (value.kind !== 'git_clean' && value.target.trim() === '') {
      context.addIssue({ code: 'custom', path: ['target'], message: `${value.kind} needs a target` })
    }
  })
export type Check = z.infer<typeof check>

export const checkStatus = z.enum(['pass', 'fail', 'error', 'timeout'])

export const checkResult = z.object({
  /** One of the check kinds, or `work_present`: the rule that a run which changed nothing proves nothing. */
  kind: z.enum([...checkKinds, 'work_present']),
  target: z.string(),
  status: checkStatus,
  /** At most 16 KiB: head and tail with a marker between. */
  output: z.string(),
  ms: z.number(),
  reason: z.string().optional(),
})
export type CheckResult = z.infer<typeof checkResult>

const proofEntry = z.object({ path: z.string(), why: z.string() })

/** Files that define the proof and that the run had changed: what the checks saw of them instead. */
export const proof = z.object({
  restored: z.array(proofEntry),
  removed: z.array(proofEntry),
  merged: z.array(proofEntry),
})
export type Proof = z.infer<typeof proof>

/** What the checks found on exactly `commit`. Stored unchanged as the evidence of a done task (VERIF-02). */
export const report = z.object({
  overall: z.enum(['pass', 'fail', 'error', 'timeout', 'skip', 'auto_pass']),
  run: z.int(),
  commit: commitId,
  base: commitId,
  ms: z.number(),
  totals: z.object({ pass: z.int(), fail: z.int(), error: z.int(), timeout: z.int() }),
  changed: z.object({ files: z.int(), insertions: z.int(), deletions: z.int() }),
  /** Files that define the proof and were therefore taken from the base commit for the checks. */
  proof,
  checks: z.array(checkResult),
})
export type Report = z.infer<typeof report>
