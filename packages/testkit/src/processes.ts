import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { eventually } from './eventually.ts'

export interface RunningProcess {
  child: ChildProcess
  pid: number
  /** Everything it wrote so far, both streams in the order in which it arrived. */
  output(): string
  /** Answers the first line that matches; fails with the output when the process ends first or time is up. */
  line(pattern: RegExp, options?: { timeoutMs?: number }): Promise<string>
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Ends it and waits until it is gone. Safe after its end. */
  kill(signal?: NodeJS.Signals): Promise<void>
}

/** Starts a process for a test. Hand `kill` to `onTestFinished`; it is stopped by its own pid, never by a name. */
export function startProcess(
  program: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; uid?: number; gid?: number } = {},
): RunningProcess {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const collect = (chunk: Buffer) => (output += chunk.toString('utf8'))
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const exited = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }))
  // Somebody who never asks for the end must not get an unhandled rejection for a program that is not there.
  exited.catch(() => {})
  const ended = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined
  return {
    child,
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    async line(pattern, { timeoutMs = 20_000 } = {}) {
      const find = () => output.split('\n').find((line) => pattern.test(line))
      await eventually(() => find() !== undefined || ended(), {
        timeoutMs,
        what: `${pattern} in:\n${output}`,
      })
      const found = find()
      if (found === undefined) throw new Error(`${program} ended without ${pattern}:\n${output}`)
      return found
    },
    async kill(signal = 'SIGKILL') {
      if (!ended()) child.kill(signal)
      await exited.catch(() => {})
    },
  }
}
