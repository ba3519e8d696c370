import { normalize } from 'node:path/posix'
import type { Sandbox } from '@muster/sandbox/sandbox'
import type { Check } from './check.ts'
import { applyOverlay, OverlayError } from './overlay.ts'
import type { ProofPlan } from './proof-plan.ts'
import {
  buildReport,
  trimOutput,
  type Changed,
  type CheckResult,
  type ProofRecord,
  type Report,
} from './report.ts'
import { controlTests } from './control.ts'
import { limitOf, runCheck, testCommand } from './run-check.ts'
import { sealProof } from './seal.ts'
import { clearStrays, type StrayRule } from './strays.ts'

export type VerifyInput = {
  /** A fresh wall whose /workspace is a clean checkout of `commit`, made by the host, with the base's objects. */
  wall: Sandbox
  checks: readonly Check[]
  base: string
  commit: string
  /** Which run of the task this is, from 1. */
  run: number
  changed: Changed
  plan: ProofPlan
  /** What no check may change for those after it. */
  sealed?: readonly string[] | undefined
  /** Why a file that a check adds must be gone before the next one; null for one that may stay. */
  stray?: StrayRule | undefined
  /** The task says that nothing is to be checked. */
  skip?: boolean | undefined
  allowEmpty?: boolean | undefined
  timeoutMs?: number | undefined
  onProgress?: ((progress: VerifyProgress) => void) | undefined
  signal?: AbortSignal | undefined
}

export type VerifyProgress =
  | { step: 'preparing' }
  | { step: 'checking'; at: number; of: number; check: Check }
  | { step: 'checked'; at: number; of: number; result: CheckResult }

/**
 * Runs the checks in their order on the exact commit, with the proof taken from the base, and reports. Later checks run
 * after a failed one, so that one report says everything there is to correct.
 *
 * Whether a file exists is first asked of the run's own commit, before the overlay: a file that the proof leaves out is
 * still there, and one that the run deleted is gone although the proof brings it back. A file that is not there may
 * still come from an earlier check, such as a build, so it is asked again in its turn.
 */
export async function verify(input: VerifyInput): Promise<Report> {
  const started = performance.now()
  const { run, commit, base, changed, skip, allowEmpty } = input
  const checks = skip === true ? [] : input.checks
  const empty: ProofRecord = { restored: [], removed: [], merged: [] }
  const { proof, results } = checks.length === 0 ? { proof: empty, results: [] } : await runAll(input, checks)
  const ms = Math.round(performance.now() - started)
  return buildReport({ run, commit, base, ms, changed, proof, checks: results, skip, allowEmpty })
}

async function runAll(input: VerifyInput, checks: readonly Check[]) {
  const results: CheckResult[] = []
  input.onProgress?.({ step: 'preparing' })
  const atFirst = new Map<Check, CheckResult>()
  for (const check of checks)
    if (check.kind === 'file_exists') atFirst.set(check, await runCheck(check, input))
  const { proof, putBack, ...laid } = await overlay(input, checks)
  let { failed } = laid
  let hasRun = false
  for (const [at, check] of checks.entries()) {
    input.onProgress?.({ step: 'checking', at, of: checks.length, check })
    const runs = check.kind in runsCommand
    if (failed === undefined && runs) failed = await putBack().then(() => undefined, overlayErrorOf)
    if (failed === undefined && runs && hasRun)
      failed = await clear(input, proof).then(() => undefined, overlayErrorOf)
    hasRun ||= runs
    // A command that was stopped on request also looks like one that failed.
    input.signal?.throwIfAborted()
    const first = atFirst.get(check)
    const known =
      first !== undefined && (first.status === 'pass' || isTouched(check.target, proof)) ? first : undefined
    const result = failed === undefined ? (known ?? (await runCheck(check, input))) : unproven(check, failed)
    results.push(result)
    input.onProgress?.({ step: 'checked', at, of: checks.length, result })
  }
  if (results.every(({ status }) => status === 'pass')) {
    for (const result of await controls(input, checks, { proof, putBack })) {
      results.push(result)
      input.onProgress?.({ step: 'checked', at: checks.length, of: checks.length, result })
    }
  }
  return { proof, results }
}

/** Last, since they leave failing tests behind, and only when nothing else says no. */
async function controls(
  input: VerifyInput,
  checks: readonly Check[],
  { proof, putBack }: { proof: ProofRecord; putBack: () => Promise<void> },
): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  for (const check of checks.filter(({ kind }) => kind === 'test_passes')) {
    const command = await testCommand(check, input)
    if (command === null) continue
    const { wall, signal, sealed = [] } = input
    const { target } = check
    try {
      await putBack()
      await clear(input, proof)
      const control = { wall, signal, command, target, limitMs: limitOf(check, input), sealed, putBack }
      const result = await controlTests(control)
      if (result !== null) results.push(result)
    } catch (error) {
      results.push({ ...unproven(check, overlayErrorOf(error)), kind: 'tests_can_fail' })
    }
  }
  return results
}

async function clear(input: VerifyInput, proof: ProofRecord): Promise<void> {
  if (input.stray === undefined) return
  proof.removed.push(...(await clearStrays(input, input.stray)))
}

function isTouched(target: string, proof: ProofRecord): boolean {
  const path = normalize(target).replace(/\/$/, '')
  return proof.restored.some((entry) => entry.path === path || entry.path.startsWith(`${path}/`))
}

const runsCommand = { command_succeeds: true, test_passes: true }

async function overlay(input: VerifyInput, checks: readonly Check[]) {
  const commands = checks.map((check) => check.target)
  try {
    const proof = await applyOverlay({ ...input, commands })
    // One command has none before it that could change anything; sealing takes three commands of our own. The control
    // of a test command is one after it.
    const running = checks.filter((check) => check.kind in runsCommand)
    const isShared = running.length > 1 || running.some(({ kind }) => kind === 'test_passes')
    const putBack = await sealProof(input, isShared ? (input.sealed ?? []) : [])
    return { proof, putBack, failed: undefined }
  } catch (error) {
    const proof = { restored: [], removed: [], merged: [] }
    return { proof, putBack: async () => {}, failed: overlayErrorOf(error) }
  }
}

function overlayErrorOf(error: unknown): OverlayError {
  if (error instanceof OverlayError) return error
  throw error
}

function unproven({ kind, target }: Check, error: OverlayError): CheckResult {
  return { kind, target, status: 'error', output: trimOutput(error.output), ms: 0, reason: error.message }
}
