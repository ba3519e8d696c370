import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HeldRun } from './held-run.ts'
import type { HubLink } from './hub-link.ts'
import type { Log } from './log.ts'
import { deliver } from './reports.ts'
import { CannotRun } from './prepare.ts'
import { fillWords, valuesOf } from './wake-command.ts'

/** SIDE-04: each try has a minute, and there are three more. */
const limitMs = 60_000
const pausesMs = [5_000, 15_000, 30_000]
const keptOutput = 2_000
// Between asking a command that is over its time to end and ending it.
const graceMs = 2_000

type WakeSettings = {
  words: readonly string[]
  /** What the command finds in its environment; nothing of Muster's. */
  env: Readonly<Record<string, string>>
}
type Times = { limitMs: number; pausesMs: readonly number[] }

type Tried = { exitCode: number | null; output: string; hopeless: boolean; why: string }

/**
 * Wakes what runs need on this machine before one is accepted, and answers a sentence for the run's output. Every try
 * is told to the hub, which thereby knows that the assignment arrived and how it goes. A command that is not there is
 * not tried again, because it would not be there then either; whoever waits for the task hears it at once (PIPE-07).
 */
export function createWake(
  settings: WakeSettings,
  deps: { link: () => HubLink; log: Log },
  times: Times = { limitMs, pausesMs },
) {
  return async (run: HeldRun): Promise<string> => {
    const { signal } = run.stop
    const words = fillWords(settings.words, valuesOf(run.assignment))
    const report = (attempt: number, state: 'trying' | 'woken' | 'failed', tried?: Tried) => {
      const { exitCode = null, output = '' } = tried ?? {}
      return deliver(deps.link(), run, { type: 'wake', attempt, state, exitCode, output })
    }
    for (let attempt = 1; ; attempt++) {
      await report(attempt, 'trying')
      const tried = await tryOnce(words, { env: settings.env, limitMs: times.limitMs, signal })
      signal.throwIfAborted()
      const ok = tried.exitCode === 0
      deps.log.info(
        { task: run.assignment.taskId, attempt, exitCode: tried.exitCode },
        'the wake command ended',
      )
      await report(attempt, ok ? 'woken' : 'failed', tried)
      if (ok) return `The wake command exited with 0${attempt === 1 ? '' : ` at try ${attempt}`}`
      const pause = tried.hopeless ? undefined : times.pausesMs[attempt - 1]
      if (pause === undefined)
        throw new CannotRun(
          'wake_failed',
          `The wake command ${tried.why} (try ${attempt}). ${tried.output}`.trim(),
        )
      await sleep(pause, undefined, { signal })
    }
  }
}

type TryOptions = { env: Readonly<Record<string, string>>; limitMs: number; signal: AbortSignal }

/** One try. Whatever is wrong with the command is its result. */
async function tryOnce(words: readonly string[], options: TryOptions): Promise<Tried> {
  try {
    return await run(words, options)
  } catch (error) {
    // Node throws what it cannot tell later, such as arguments that are too long.
    const why = `could not be started: ${error instanceof Error ? error.message : String(error)}`
    return { exitCode: null, output: '', hopeless: true, why }
  }
}

function run(words: readonly string[], options: TryOptions): Promise<Tried> {
  return new Promise((resolve) => {
    const [program = '', ...args] = words
    let output = ''
    let late = false
    // Of its own group, so that what it started ends with it when its time is up.
    const child = spawn(program, args, {
      cwd: '/',
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const end = (name: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name)
      } catch {
        // It has ended by itself just now.
      }
    }
    let last: NodeJS.Timeout | undefined
    const stop = () => {
      late = true
      end('SIGTERM')
      last = setTimeout(() => end('SIGKILL'), graceMs)
    }
    const timer = setTimeout(stop, options.limitMs)
    options.signal.addEventListener('abort', stop, { once: true })
    const take = (piece: Buffer) => (output = (output + piece.toString('utf8')).slice(-keptOutput))
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    const settle = (ended: Omit<Tried, 'output'>) => {
      clearTimeout(timer)
      clearTimeout(last)
      options.signal.removeEventListener('abort', stop)
      // What it left running may hold the pipes open; the command itself is over.
      child.stdout.destroy()
      child.stderr.destroy()
      resolve({ ...ended, output: output.toWellFormed().replaceAll('\0', '\uFFFD') })
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      settle({ exitCode: null, hopeless: true, why: `could not be started: ${error.code ?? error.message}` })
    })
    child.once('exit', (code, signal) => {
      const why = late ? `took longer than ${options.limitMs / 1_000} s` : `ended with ${code ?? signal}`
      // What it printed may still be on its way; a turn of the loop brings it.
      setTimeout(() => settle({ exitCode: late ? null : code, hopeless: false, why }), 20)
    })
  })
}
