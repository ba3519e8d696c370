import type { Report } from '@muster/contract/checks'
import type { Ending } from '@muster/contract/task-states'
import type { ExecResult } from '@muster/sandbox/sandbox'

export type End = { ending: Ending; reason: string }

/** The end that a command makes by itself; null when it went well and its work is to be checked. */
export function endOfCommand(result: ExecResult, deadlineMs: number): End | null {
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
      return { ending: 'timed_out', reason: deadlineReason(deadlineMs) }
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

/**
 * How a run ends by what the checks found. `limit` is where the work was stopped before it was finished: when every
 * declared check passed all the same, that proves it; when nothing was declared, nothing says that it is finished; and when
 * only some passed, what there is is partial. `files` is how many the work changed.
 */
export function endOfReport(report: Report, limit?: End, files = 1): End {
  if (report.overall === 'pass') {
    const count = report.checks.length
    const passed = count === 1 ? 'The check passed' : `All ${count} checks passed`
    return {
      ending: 'verified',
      reason: limit === undefined ? `${passed}.` : `${passed}; ${lower(limit.reason)}`,
    }
  }
  if (report.overall === 'auto_pass') {
    if (limit === undefined)
      return { ending: 'verified', reason: 'No check was declared; the work is there.' }
    return {
      ending: 'partial_pass',
      reason: `No check was declared, and the work was not finished. ${limit.reason}`,
    }
  }
  const failed = whatFailed(report)
  if (limit === undefined) return { ending: 'execution_failed', reason: failed }
  const isPartial = files > 0 && report.totals.pass > 0
  return {
    ending: isPartial ? 'partial_pass' : limit.ending,
    reason: `${limit.reason} ${failed}`.slice(0, 2_000),
  }
}

function whatFailed(report: Report): string {
  const failed = report.checks.find((check) => check.status === report.overall)
  const name = failed === undefined ? 'The verification' : nameOf(failed)
  const why = failed?.reason === undefined ? '' : ` ${failed.reason}`
  const more = report.checks.filter((check) => check.status !== 'pass').length - 1
  const others = more > 0 ? ` ${more} more did not pass.` : ''
  return `${name} did not pass.${why}${fromBase(report)}${others}`.slice(0, 2_000)
}

function nameOf({ kind, target }: Report['checks'][number]): string {
  return target === '' ? kind : `${kind}:${target}`
}

const lower = (sentence: string) => sentence.slice(0, 1).toLowerCase() + sentence.slice(1)

export function deadlineReason(deadlineMs: number): string {
  return `The deadline of ${deadlineMs % 1_000 === 0 ? `${deadlineMs / 1_000} s` : `${deadlineMs} ms`} passed.`
}

/** Says that the run had touched its own proof, which is the first thing a person wants to know then. */
function fromBase({ proof }: Report): string {
  const paths = [...proof.restored, ...proof.merged, ...proof.removed].map((entry) => entry.path)
  if (paths.length === 0) return ''
  const named = paths.slice(0, 3).join(', ') + (paths.length > 3 ? ` and ${paths.length - 3} more` : '')
  return ` The run had changed what defines the proof (${named}); the checks used the base's version.`
}
