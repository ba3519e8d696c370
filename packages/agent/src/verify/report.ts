import type { CheckKind } from './check.ts'

export type CheckStatus = 'pass' | 'fail' | 'error' | 'timeout'
/** `skip`: the task says that nothing is to be checked. `auto_pass`: no check was declared, and there is work. */
export type OverallStatus = CheckStatus | 'skip' | 'auto_pass'

export type CheckResult = {
  kind: CheckKind | 'work_present' | 'tests_can_fail'
  target: string
  status: CheckStatus
  /** What the check printed, at most 16 KiB: its beginning and its end. */
  output: string
  ms: number
  /** One sentence, whenever the status is not pass. */
  reason?: string | undefined
}

export type Changed = { files: number; insertions: number; deletions: number }
export type Touched = { path: string; why: string }

/** What was taken from the base for the proof, so that a person can see on which files it rests. */
export type ProofRecord = {
  restored: Touched[]
  removed: Touched[]
  merged: (Touched & { keys: string[] })[]
}

/** The evidence of one run. */
export type Report = {
  overall: OverallStatus
  run: number
  commit: string
  base: string
  ms: number
  totals: Record<CheckStatus, number>
  changed: Changed
  proof: ProofRecord
  checks: CheckResult[]
}

/** A check that could not be run outweighs one that ran too long, which outweighs one that ran and said no. */
const severity: readonly CheckStatus[] = ['error', 'timeout', 'fail', 'pass']

export type ReportInput = Omit<Report, 'overall' | 'totals'> & {
  skip?: boolean | undefined
  /** The task is one whose success may be to change nothing. */
  allowEmpty?: boolean | undefined
}

export function buildReport({ skip, allowEmpty, ...facts }: ReportInput): Report {
  const empty = facts.changed.files === 0 && allowEmpty !== true
  const checks = empty ? [...facts.checks, noWork(facts.base)] : facts.checks
  const totals = { pass: 0, fail: 0, error: 0, timeout: 0 }
  for (const check of checks) totals[check.status] += 1
  return { ...facts, overall: overallOf(checks, skip === true), totals, checks }
}

/**
 * Skipped checks do not hide that there is no work: the missing work is a result of its own, and any result counts.
 */
export function overallOf(checks: readonly CheckResult[], skip: boolean): OverallStatus {
  if (checks.length === 0) return skip ? 'skip' : 'auto_pass'
  return severity.find((status) => checks.some((check) => check.status === status)) ?? 'error'
}

function noWork(base: string): CheckResult {
  const reason = `The run changed nothing against its base ${base.slice(0, 12)}, so there is nothing to prove.`
  return { kind: 'work_present', target: '', status: 'fail', output: '', ms: 0, reason }
}

/** With the tail half a KiB below 16 KiB, which is for the marker and the line that names a found command. */
const keptHeadBytes = 3.5 * 1024
/** More of the end: runners print the summary and the failures last. */
const keptTailBytes = 12 * 1024

/** `alreadyDropped` is what the wall left away before us. */
export function trimOutput(output: string, alreadyDropped = 0): string {
  const bytes = Buffer.from(output)
  const over = bytes.length - keptHeadBytes - keptTailBytes
  if (over <= 0 && alreadyDropped === 0) return output
  if (over <= 0) return `${output}\n[… ${alreadyDropped} bytes left out …]\n`
  const head = bytes
    .subarray(0, keptHeadBytes)
    .toString('utf8')
    .replace(/\uFFFD$/, '')
  const tail = bytes
    .subarray(-keptTailBytes)
    .toString('utf8')
    .replace(/^\uFFFD+/, '')
  return `${head}\n[… ${over + alreadyDropped} bytes left out …]\n${tail}`
}
