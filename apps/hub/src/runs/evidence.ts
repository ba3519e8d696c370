import type { Report } from '@muster/contract/checks'
import type { RunResult } from '@muster/contract/wire'

type Declared = { kind: string; target: string }

/** What the task asked for. */
export type Wanted = { declaredChecks: Declared[]; allowEmpty: boolean }

/**
 * Whether a run may make its task `done`; undefined if so, else why not.
 *
 * The worker says `verified`, but the hub does not take its word: the report must be about the very commit that was
 * published, must have run every declared check, and each must have passed.
 */
export function whyNotProven(
  result: RunResult,
  granted: { commit: string | null; branch: string | null },
  { declaredChecks: declared, allowEmpty }: Wanted,
): string | undefined {
  const { report, commit, branch } = result
  if (report === null || commit === null || branch === null) return 'there is no report, commit or branch'
  if (report.commit !== commit) return 'the report is about another commit'
  if (report.base !== result.base) return 'the report is about another base'
  if (report.changed.files === 0 && !allowEmpty) return 'nothing was changed'
  if (granted.commit !== commit || granted.branch !== branch) return 'this commit was not granted this branch'
  if (report.overall !== 'pass' && report.overall !== 'auto_pass') return `the report says ${report.overall}`
  if (report.overall === 'auto_pass' && declared.length > 0) return 'checks were declared but not run'
  const failed = report.checks.find((check) => check.status !== 'pass')
  if (failed !== undefined) return `${failed.kind} did not pass`
  const missing = declared.find((check) => !ran(report, check))
  return missing === undefined ? undefined : `${missing.kind}:${missing.target} was declared but not run`
}

function ran(report: Report, declared: Declared): boolean {
  return report.checks.some((check) => check.kind === declared.kind && check.target === declared.target)
}
