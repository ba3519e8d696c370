import type { CheckStatus } from './report.ts'
import type { ControlRun } from './control-run.ts'

export type Verdict = { status: CheckStatus; reason?: string | undefined }
/** A test file and the sign of the test in it that has to fail. */
export type Planted = { path: string; sign: string }

/** Why a run that did not end by itself decides nothing; what cannot be decided is no pass. */
export function judgeEnd({ ended }: ControlRun, limitMs: number): Verdict | null {
  if (ended === 'exited' || ended === 'signalled') return null
  const what = 'With a test in it that has to fail, the test command'
  if (ended === 'timed_out')
    return { status: 'timeout', reason: `${what} ran longer than ${limitMs / 1000} s.` }
  return { status: 'error', reason: `${what} hit the wall's ${ended.replace('_limit', '')} limit.` }
}

/** Null while it needs the run without the code under test to be judged. */
export function judgeWithCode(run: ControlRun, planted: readonly Planted[], limitMs: number): Verdict | null {
  const undecided = judgeEnd(run, limitMs)
  if (undecided !== null) return undecided
  const [toothless] = run.toothless
  if (toothless !== undefined) {
    const reason = `The tests cannot fail: once they have loaded the code under test, ${toothless} accepts what it has to refuse.`
    return { status: 'fail', reason }
  }
  return run.code !== 0 && missing(run, planted).length === 0 ? { status: 'pass' } : null
}

/**
 * The files whose failing test the command did not report, although it does without the code under test. A file that the
 * command does not run, or whose library reports in another way, is not seen in either and says nothing.
 */
export function suspects<Each extends Planted>(
  withCode: ControlRun,
  alone: ControlRun,
  planted: readonly Each[],
): readonly Each[] {
  const seen = planted.filter(({ sign }) => alone.signs.has(sign))
  if (alone.code !== 0 && withCode.code === 0) return seen
  const hidden = new Set(missing(withCode, planted))
  return seen.filter((each) => hidden.has(each))
}

function missing<Each extends Planted>(run: ControlRun, planted: readonly Each[]): Each[] {
  return planted.filter(({ sign }) => !run.signs.has(sign))
}

export function cannotFail(path: string): Verdict {
  const reason =
    `The tests in ${path} cannot fail: a test that has to fail, put beside them, was not reported, and without the ` +
    'code under test it is. Something that they load ends the runner or changes how it judges.'
  return { status: 'fail', reason }
}
