import { randomInt } from 'node:crypto'
import { controlText } from './control-text.ts'
import { runForSigns } from './control-run.ts'
import {
  cannotFail,
  judgeEnd,
  judgeWithCode,
  suspects,
  type Planted,
  type Verdict,
} from './control-verdict.ts'
import { exec, OverlayError, type InWall } from './overlay.ts'
import type { CheckResult } from './report.ts'

export type ControlInput = InWall & {
  /** What the check ran. */
  command: string
  target: string
  limitMs: number
  /** The files that define the proof. */
  sealed: readonly string[]
  /** Makes them what they were. */
  putBack: () => Promise<void>
}

type Control = Planted & { text: string }

/** A command that stops at the first failure shows only one file of a run, which may be another one each time. */
const mostAlone = 5
const filesAtOnce = 50
/** Far more than a test file that a person wrote; what is longer is not looked into. */
const mostBytesRead = 8 * 2 ** 20
const stepLimitMs = 60_000

/**
 * The positive control of a test command that passed: it runs once more with a test in each test file that has to fail.
 * The code under test runs in the same process as its judge, so it can end that process with success, or take the teeth
 * out of its assertions; then this failure is not reported either. What the tests alone report, without the code, is the
 * measure. Code that lets only its own failure through is not caught by this.
 *
 * The workspace holds the failing tests afterwards, so it comes last. Null where it says nothing: no test file is written
 * for a library that is known, or the command runs none of them.
 */
export async function controlTests(input: ControlInput): Promise<CheckResult | null> {
  const started = performance.now()
  const controls = await controlsFor(input)
  if (controls.length === 0) return null
  const { verdict, shown } = await judge(input, controls)
  if (verdict === null) return null
  const files = `${shown} of ${controls.length} test ${controls.length === 1 ? 'file' : 'files'}`
  const output = verdict.status === 'pass' ? `A test that has to fail was reported in ${files}.\n` : ''
  const ms = Math.round(performance.now() - started)
  return { kind: 'tests_can_fail', target: input.target, ...verdict, output, ms }
}

async function judge(
  input: ControlInput,
  controls: readonly Control[],
): Promise<{ verdict: Verdict | null; shown: number }> {
  const looking = { signs: new Set(controls.map(({ sign }) => sign)), timeoutMs: input.limitMs }
  const run = () => runForSigns(input, input.command, looking)
  await write(input, controls, 'beside')
  const withCode = await run()
  input.signal?.throwIfAborted()
  const shown = controls.filter(({ sign }) => withCode.signs.has(sign)).length
  const first = judgeWithCode(withCode, controls, input.limitMs)
  if (first !== null) return { verdict: first, shown }

  await write(input, controls, 'instead')
  const alone = await run()
  input.signal?.throwIfAborted()
  const undecided = judgeEnd(alone, input.limitMs)
  if (undecided !== null) return { verdict: undecided, shown }
  // A command that never fails cannot be asked.
  if (withCode.code === 0 && alone.code === 0) return { verdict: null, shown }
  const suspected = suspects(withCode, alone, controls)
  for (const control of suspected.slice(0, mostAlone)) {
    await input.putBack()
    await write(input, [control], 'beside')
    const one = await run()
    input.signal?.throwIfAborted()
    if (judgeWithCode(one, [control], input.limitMs)?.status !== 'pass')
      return { verdict: cannotFail(control.path), shown }
  }
  const isShown = shown > 0 || suspected.length > 0
  return { verdict: isShown ? { status: 'pass' } : null, shown: Math.max(shown, suspected.length) }
}

async function controlsFor(input: ControlInput): Promise<Control[]> {
  const controls: Control[] = []
  const paths = input.sealed.filter((path) => controlText(path, anyTest, [1, 1]) !== null)
  for (let at = 0; at < paths.length; at += filesAtOnce) {
    const some = paths.slice(at, at + filesAtOnce)
    const texts = await read(input, some)
    for (const [index, path] of some.entries()) {
      const factors = [randomInt(2 ** 20, 2 ** 26), randomInt(2 ** 20, 2 ** 26)] as const
      const control = controlText(path, texts[index] ?? '', factors)
      if (control !== null) controls.push({ path, ...control })
    }
  }
  return controls
}

/** A text that every library's file could hold, to tell by its name alone whether a file is worth reading. */
const anyTest = 'test( assert unittest'

async function read(input: InWall, paths: readonly string[]): Promise<string[]> {
  const script = paths.map((path) => `cat -- ${quoted(path)}; printf '\\0'\n`).join('')
  const done = await input.wall.exec(['/bin/sh', '-s'], {
    cwd: '/workspace',
    stdin: script,
    timeoutMs: stepLimitMs,
    maxOutputBytes: mostBytesRead,
    ...(input.signal === undefined ? {} : { signal: input.signal }),
  })
  // They were all read a moment ago to be sealed; work whose tests cannot be looked at now is not let through.
  if (done.ended !== 'exited' || done.code !== 0 || done.stderr !== '')
    throw new OverlayError('The tests could not be read to control them.', done.stderr)
  return done.stdout.split('\0')
}

async function write(input: InWall, controls: readonly Control[], how: 'beside' | 'instead'): Promise<void> {
  const arrow = how === 'beside' ? '>>' : '>'
  const end = `MUSTER_${randomInt(2 ** 40)}`
  const script = controls.map(
    ({ path, text }) => `cat ${arrow} ${quoted(path)} <<'${end}'\n${text}\n${end}\n`,
  )
  const done = await exec(input, ['/bin/sh', '-s'], `set -e\n${script.join('')}`)
  if (done.ended !== 'exited' || done.code !== 0)
    throw new OverlayError('The control of the tests could not be written into their files.', done.stderr)
}

/** A path of the workspace as one word of the shell. */
function quoted(path: string): string {
  return `'./${path.replaceAll("'", `'\\''`)}'`
}
