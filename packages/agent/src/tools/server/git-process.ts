import { spawn } from 'node:child_process'
import { signalAll } from './run-command.ts'

/** Of git, with nothing that the agent configured taking part; as for the result's own commit (the worker's carry-out). */
const options = [
  '--git-dir=/workspace/.git',
  '--work-tree=/workspace',
  ...[
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.bare=false',
    'core.autocrlf=false',
    'core.splitIndex=false',
    'core.untrackedCache=false',
    'core.fsync=none',
    'pack.threads=1',
    'index.skipHash=false',
    'commit.gpgSign=false',
    'gc.auto=0',
    'maintenance.auto=false',
    'advice.addEmbeddedRepo=false',
  ].flatMap((setting) => ['-c', setting]),
]

export type GitRun = {
  env: Readonly<Record<string, string | undefined>>
  input?: string
  /** More output than this ends it. */
  maxBytes?: number
  timeoutMs: number
}

export type GitDone = { code: number | null; output: Buffer; said: string; isTooLarge: boolean }

/** One git. Nothing else of the wall is alive while it runs, so what is too long or too large is ended with all it started. */
export function runGit(argv: string[], run: GitRun): Promise<GitDone> {
  const { env, input, maxBytes = 65_536, timeoutMs } = run
  return new Promise((resolve, reject) => {
    const stdin = input === undefined ? 'ignore' : 'pipe'
    const child = spawn('git', [...options, ...argv], {
      cwd: '/workspace',
      env,
      stdio: [stdin, 'pipe', 'pipe'],
    })
    const pieces: Buffer[] = []
    let length = 0
    let said = ''
    let isTooLarge = false
    const timer = setTimeout(() => signalAll('SIGKILL'), timeoutMs)
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
    child.stdout?.on('data', (chunk: Buffer) => {
      if (isTooLarge) return
      pieces.push(chunk)
      length += chunk.length
      isTooLarge = length > maxBytes
      if (isTooLarge) signalAll('SIGKILL')
    })
    child.stderr?.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-500)))
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, output: Buffer.concat(pieces), said: said.trim(), isTooLarge })
    })
  })
}
