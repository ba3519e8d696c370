import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { identify, type ProcessIdentity } from '@muster/postgres/process-identity'
import { Failure } from '../failure.ts'
import type { LogFile } from './log-file.ts'

/** A part of Muster while it runs. */
export type Running = {
  identity: ProcessIdentity
  /** Settles when it has ended, however; says how. */
  ended: Promise<string>
  /** Asks it to end, and ends it when it does not. */
  stop(): Promise<void>
  /** Ends it without asking. */
  kill(): void
}

export type ChildOptions = {
  name: string
  script: string
  cwd: string
  env: Record<string, string>
  log: LogFile
  /** How long it may take from SIGTERM to its end. */
  graceMs: number
  onMessage?: (message: unknown) => void
}

/**
 * Starts a source file as a process of its own group, so that Ctrl-C in the terminal reaches only us and we stop the
 * parts in order. The IPC channel is its lifeline: should we die, even by kill -9, it closes and the child ends itself.
 */
export async function startChild(options: ChildOptions): Promise<Running> {
  const { name, log } = options
  const child = spawn(process.execPath, [options.script], {
    cwd: options.cwd,
    // What it compiles is kept beside its data: a hub that is started again serves 0.4 s of processor time earlier, which
    // on a busy machine is more than a second of everybody's waiting.
    env: { NODE_COMPILE_CACHE: join(options.cwd, 'compiled'), ...options.env, MUSTER_LIFELINE: '1' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  child.stdout?.on('data', (piece: Buffer) => log.write(piece))
  child.stderr?.on('data', (piece: Buffer) => log.write(piece))
  if (options.onMessage !== undefined) child.on('message', options.onMessage)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`did not start: ${error.message}`))
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal))
  })
  const identity = child.pid === undefined ? undefined : await identify(child.pid)
  if (identity === undefined) {
    throw new Failure('start_failed', `The ${name} ended at once: ${await ended}.`, `Its log: ${log.path}`, 1)
  }
  return {
    identity,
    ended,
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), options.graceMs)
      await ended
      clearTimeout(timer)
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
