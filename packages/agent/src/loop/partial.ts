import type { Check } from '../verify/check.ts'
import type { CheckResult } from '../verify/report.ts'

export type PartialInput = {
  /** In the words of the task. Nobody but a check can say that one is met. */
  criteria: readonly string[]
  declared: readonly Check[]
  /** Of the checks that were run on the kept work. */
  results: readonly CheckResult[]
  changedFiles: readonly string[]
}

export type PartialReport = { done: string[]; remaining: string[] }

/**
 * What of stopped work is proven and what is not (LOOP-08). Done is only what was executed and passed, and what is
 * visibly there; what was never looked at remains, with those words.
 */
export function partialOf({ criteria, declared, results, changedFiles }: PartialInput): PartialReport {
  const passed = results.filter((result) => result.status === 'pass')
  const failed = results.filter((result) => result.status !== 'pass')
  const unseen = declared.filter(
    (check) => !results.some((result) => result.kind === check.kind && result.target === check.target),
  )
  const changed =
    changedFiles.length === 0
      ? []
      : [`changed ${countOf(changedFiles.length, 'file')}: ${names(changedFiles)}`]
  return {
    done: atMost([...passed.map((result) => `passes: ${nameOf(result)}`), ...changed]),
    remaining: atMost([
      ...failed.map((result) => `${verdicts[result.status]}: ${nameOf(result)}${because(result.reason)}`),
      ...unseen.map((check) => `not checked: ${nameOf(check)}`),
      ...criteria.map((criterion) => `not proven: ${criterion}`),
      ...(changedFiles.length === 0 ? ['nothing was changed yet'] : []),
    ]),
  }
}

const verdicts = { fail: 'fails', error: 'could not be checked', timeout: 'took too long', pass: 'passes' }

const nameOf = ({ kind, target }: { kind: string; target: string }) =>
  target === '' ? kind : `${kind} ${target}`
const because = (reason: string | undefined) => (reason === undefined ? '' : ` (${reason})`)
const countOf = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

function names(files: readonly string[]): string {
  return files.length <= 8 ? files.join(', ') : `${files.slice(0, 8).join(', ')} and ${files.length - 8} more`
}

/** As many and as long as the report of a run may hold. */
function atMost(lines: readonly string[]): string[] {
  return lines.slice(0, 100).map((line) => (line.length <= 500 ? line : `${line.slice(0, 499)}…`))
}
