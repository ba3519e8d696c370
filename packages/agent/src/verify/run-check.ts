import type { ExecResult, Sandbox } from '@muster/sandbox/sandbox'
import { defaultCheckLimitMs, refusePath, type Check } from './check.ts'
import { detectRunner, noRunner, type Files } from './detect.ts'
import { ranNoTests } from './no-tests.ts'
import { trimOutput, type CheckResult } from './report.ts'

export type CheckInput = {
  wall: Sandbox
  base: string
  commit: string
  /** The task's own limit for one check. */
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

type Outcome = Pick<CheckResult, 'status' | 'output'> & { reason?: string }

/** Python would leave __pycache__ in the tree, and git_clean would blame the run for it. */
export const checkEnvironment = { CI: 'true', PYTHONDONTWRITEBYTECODE: '1' }

/** Of each stream. The wall keeps the beginning, and the summary is at the end, so much more than is reported. */
const outputLimitBytes = 4 * 1024 * 1024
const gitLimitMs = 60_000

/** Rejects only when the wall cannot be used, or on request: every other ending is a status. */
export async function runCheck(check: Check, input: CheckInput): Promise<CheckResult> {
  const started = performance.now()
  const outcome = await outcomeOf(check, input)
  input.signal?.throwIfAborted()
  return { kind: check.kind, target: check.target, ...outcome, ms: Math.round(performance.now() - started) }
}

function outcomeOf(check: Check, input: CheckInput): Promise<Outcome> {
  switch (check.kind) {
    case 'file_exists':
      return fileExists(check.target, input)
    case 'git_clean':
      return gitClean(input)
    case 'command_succeeds':
      return command(check.target, check, input)
    case 'test_passes':
      return testPasses(check, input)
  }
}

/** The canonical path decides, so that a link out of the workspace, whichever part of the path it is, finds nothing. */
const existsScript = `
path=$(realpath -e -- "/workspace/$1") || exit 1
case $path in /workspace/.git|/workspace/.git/*) exit 1 ;; /workspace|/workspace/*) ;; *) exit 1 ;; esac
[ -f "$path" ] || [ -d "$path" ]
`

async function fileExists(path: string, input: CheckInput): Promise<Outcome> {
  const refused = refusePath(path)
  if (refused !== null) return { status: 'error', output: '', reason: refused }
  const found = await exec(input, ['/bin/sh', '-c', existsScript, 'exists', path], gitLimitMs)
  if (found.ended === 'exited' && found.code === 1) {
    return { status: 'fail', output: '', reason: `There is no file or folder ${path}.` }
  }
  return judge(found, gitLimitMs)
}

async function gitClean(input: CheckInput): Promise<Outcome> {
  const argv = ['git', '-c', 'core.fsmonitor=false', 'status', '--porcelain', '--untracked-files=all']
  const status = await exec(input, argv, gitLimitMs)
  const outcome = judge(status, gitLimitMs)
  if (outcome.status !== 'pass' || status.stdout === '') return outcome
  const files = status.stdout.split('\n').length - 1
  const reason = `The work tree is not clean: ${files} ${files === 1 ? 'path differs' : 'paths differ'} from the commit.`
  return { ...outcome, status: 'fail', reason }
}

async function testPasses(check: Check, input: CheckInput): Promise<Outcome> {
  const target = await testCommand(check, input)
  if (target === null) return { status: 'error', output: '', reason: noRunner }
  const outcome = await command(target, check, input)
  const output = check.target === 'auto' ? `$ ${target}\n${outcome.output}` : outcome.output
  if (outcome.status !== 'pass' || !ranNoTests(outcome.output)) return { ...outcome, output }
  return { status: 'fail', output, reason: `"${target}" succeeded without running a single test.` }
}

/** What `test_passes` runs; null when no runner was found. */
export async function testCommand(check: Check, input: CheckInput): Promise<string | null> {
  if (check.target !== 'auto') return check.target
  // The base first: a runner that the run brought along must not take the place of the one that was there.
  const runner =
    (await detectRunner(await filesOf(input, input.base))) ??
    (await detectRunner(await filesOf(input, input.commit)))
  return runner?.command ?? null
}

async function command(text: string, check: Check, input: CheckInput): Promise<Outcome> {
  if (text.trim() === '') return { status: 'error', output: '', reason: `${check.kind} needs a command.` }
  const limitMs = limitOf(check, input)
  return judge(await exec(input, ['/bin/sh', '-c', text], limitMs), limitMs)
}

export function limitOf(check: Check, input: CheckInput): number {
  return check.timeoutMs ?? input.timeoutMs ?? defaultCheckLimitMs
}

function judge(done: ExecResult & { printed: string }, limitMs: number): Outcome {
  const output = trimOutput(done.printed, done.droppedBytes)
  switch (done.ended) {
    case 'exited':
      if (done.code === 0) return { status: 'pass', output }
      if (done.code === 127)
        return { status: 'fail', output, reason: 'The command, or one it calls, was not found (127).' }
      return { status: 'fail', output, reason: `The command ended with exit code ${done.code}.` }
    case 'signalled':
      return { status: 'fail', output, reason: `The command was ended by ${done.signal ?? 'a signal'}.` }
    case 'timed_out':
      return { status: 'timeout', output, reason: `The command ran longer than ${limitMs / 1000} s.` }
    case 'aborted':
      return { status: 'error', output, reason: 'The check was stopped on request.' }
    default:
      return {
        status: 'error',
        output,
        reason: `The check hit the wall's ${done.ended.replace('_limit', '')} limit.`,
      }
  }
}

async function filesOf(input: CheckInput, commit: string): Promise<Files> {
  const listed = await exec(
    input,
    ['git', 'ls-tree', '-r', '-z', '--name-only', '--full-tree', commit],
    gitLimitMs,
  )
  const read = async (path: string) => {
    const blob = await exec(input, ['git', 'cat-file', 'blob', `${commit}:${path}`], gitLimitMs)
    return blob.ended === 'exited' && blob.code === 0 ? blob.stdout : null
  }
  return { paths: new Set(listed.stdout.split('\0').filter((path) => path !== '')), read }
}

/** `printed` is both streams in the order they came. */
async function exec({ wall, signal }: CheckInput, argv: string[], timeoutMs: number) {
  let printed = ''
  const done = await wall.exec(argv, {
    cwd: '/workspace',
    env: checkEnvironment,
    timeoutMs,
    maxOutputBytes: outputLimitBytes,
    onOutput: ({ text }) => {
      printed += text
    },
    ...(signal === undefined ? {} : { signal }),
  })
  return { ...done, printed }
}
