import { z } from 'zod'
import { commitId, text } from './text.ts'

export const checkKinds = ['file_exists', 'command_succeeds', 'test_passes', 'git_clean'] as const

/** What the platform executes to prove a task. */
export const check = z
  .strictObject({
    kind: z.enum(checkKinds).describe('What is executed.'),
    target: text(4_000)
      .default('')
      .describe(
        'For `file_exists` a path, for `command_succeeds` a command, for `test_passes` a command or `auto`, for ' +
          '`git_clean` empty.',
      ),
    timeoutMs: z
      .int()
      .min(1_000)
      .max(3_600_000)
      .optional()
      .describe('How long it may take; 120 s if not said.'),
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
  kind: z
    .enum([...checkKinds, 'work_present', 'tests_can_fail'])
    .describe(
      'The kind of the check, or `work_present`: a run that changed nothing proves nothing; or `tests_can_fail`: the ' +
        'tests ran once more beside one in each file that has to fail, and this was reported.',
    ),
  target: z.string().describe('Exactly the target that was declared.'),
  status: checkStatus.describe('`error`: it could not be run.'),
  output: z.string().describe('What it printed, at most 16 KiB: head and tail with a marker between.'),
  ms: z.number().describe('How long it took.'),
  reason: z.string().optional().describe('One sentence, whenever the status is not `pass`.'),
})
export type CheckResult = z.infer<typeof checkResult>

const proofEntry = z.object({
  path: z.string().describe('A file.'),
  why: z.string().describe('One sentence for a person.'),
})

/** Files that define the proof and that the run had changed: what the checks saw of them instead. */
export const proof = z.object({
  restored: z.array(proofEntry).describe('Files that were taken from the base.'),
  removed: z.array(proofEntry).describe('Files that were left out.'),
  merged: z.array(proofEntry).describe('Files of which parts were taken from the base.'),
})
export type Proof = z.infer<typeof proof>

/** What the checks found on exactly `commit`. Stored unchanged as the evidence of a done task (VERIF-02). */
export const report = z.object({
  overall: z
    .enum(['pass', 'fail', 'error', 'timeout', 'skip', 'auto_pass'])
    .describe('The worst of the results. `auto_pass`: no check was declared and there is work.'),
  run: z.int().describe('The `attempt` of the assignment.'),
  commit: commitId.describe('The commit on which the checks ran.'),
  base: commitId.describe('The commit that the work started from.'),
  ms: z.number().describe('How long all of it took.'),
  totals: z
    .object({
      pass: z.int().describe('Those that passed.'),
      fail: z.int().describe('Those that said no.'),
      error: z.int().describe('Those that could not be run.'),
      timeout: z.int().describe('Those that took too long.'),
    })
    .describe('How many checks ended in which way.'),
  changed: z
    .object({
      files: z.int().describe('Files that differ.'),
      insertions: z.int().describe('Lines that are new.'),
      deletions: z.int().describe('Lines that are gone.'),
    })
    .describe('What the work changed against its base.'),
  proof: proof.describe('Files that define the proof, and what the checks saw of them instead.'),
  checks: z.array(checkResult).describe('The results, one for each declared check at least.'),
})
export type Report = z.infer<typeof report>
