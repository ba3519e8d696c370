import type { Report } from '@muster/contract/checks'
import type { Ending } from '@muster/contract/task-states'
import type { ExecResult } from '@muster/sandbox/sandbox'

export type End = { ending: Ending; reason: string }

/** The end that a command makes by itself; null when it went well and its work is to be checked. */
export function endOfCommand(result: ExecResult, timeoutMs: number): End | null {
  switch (result.ended) {
    case 'exited':
      if (result.code === 0) return null
      return { ending: 'execution_failed', reason: `The command exited with ${result.code ?? 'no code'}.` }
    case 'signalled':
      return {
        ending: 'execution_failed',
        reason: `The command was ended by ${result.signal ?? 'a signal'}.`,
      }
    case 'timed_out':
      return { ending: 'timed_out', reason: deadlineReason(timeoutMs) }
    case 'aborted':
      return { ending: 'cancelled', reason: 'The run was stopped.' }
    case 'memory_limit':
      return {
        ending: 'execution_failed',
        reason: 'memory_limit: the command used more memory than its wall allows.',
      }
    case 'process_limit':
      return {
        ending: 'execution_failed',
        reason: 'process_limit: the command started more processes than its wall allows.',
      }
    case 'disk_limit':
      return {
        ending: 'execution_failed',
        reason: 'disk_limit: the command wrote more than its wall allows.',
      }
  }
}

export function endOfReport(report: Report): End {
  if (report.overall === 'pass') {
    const count = report.checks.length
    return { ending: 'verified', reason: `${count === 1 ? 'The check' : `All ${count} checks`} passed.` }
  }
  if (report.overall === 'auto_pass')
    return { ending: 'verified', reason: 'No check was declared; the work is there.' }
  const failed = report.checks.find((check) => check.status === report.overall)
  const name =
    failed === undefined
      ? 'The verification'
      : `${failed.kind}${failed.target === '' ? '' : `:${failed.target}`}`
  const why = failed?.reason === undefined ? '' : ` ${failed.reason}`
  const more = report.checks.filter((check) => check.status !== 'pass').length - 1
  return {
    ending: 'execution_failed',
    reason:
      `${name} did not pass.${why}${fromBase(report)}${more > 0 ? ` ${more} more did not pass.` : ''}`.slice(
        0,
        2_000,
      ),
  }
}

export function deadlineReason(timeoutMs: number): string {
  return `The deadline of ${timeoutMs % 1_000 === 0 ? `${timeoutMs / 1_000} s` : `${timeoutMs} ms`} passed.`
}

/** Says that the run had touched its own proof, which is the first thing a person wants to know then. */
function fromBase({ proof }: Report): string {
  const paths = [...proof.restored, ...proof.merged, ...proof.removed].map((entry) => entry.path)
  if (paths.length === 0) return ''
  const named = paths.slice(0, 3).join(', ') + (paths.length > 3 ? ` and ${paths.length - 3} more` : '')
  return ` The run had changed what defines the proof (${named}); the checks used the base's version.`
}
