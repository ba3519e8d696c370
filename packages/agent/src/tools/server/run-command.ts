import { execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { keepHeadAndTail } from './head-tail.ts'
import type { Places } from './place.ts'

export type RunCommand = {
  command: string
  cwd: string
  timeoutMs: number
  /** Between SIGTERM and SIGKILL. */
  graceMs: number
  /** Kept of each stream. */
  maxBytes: number
}

/** Nobody is left to write, so the end is there to be read; a process that cannot be killed must not hold the answer. */
const drainMs = 2_000

/**
 * Runs a command and leaves nothing of it behind. The whole wall is this program's: every other process in it belongs to
 * the command, however it detached, and `kill(-1)` reaches all of them at once, with no time between to fork.
 */
export function createCommands(places: Places, env: Readonly<Record<string, string | undefined>>) {
  const shell = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh'
  const pipes = makePipes()

  return async function runCommand({ command, cwd, timeoutMs, graceMs, maxBytes }: RunCommand) {
    const folder = places.folder(cwd)
    const started = performance.now()
    const [stdout, stderr] = pipes.map((held) => openPipe(held, maxBytes)) as [OpenPipe, OpenPipe]
    const child = spawn(shell, ['-c', command], {
      cwd: folder,
      env,
      stdio: ['ignore', stdout.theirs, stderr.theirs],
    })
    for (const { theirs } of [stdout, stderr]) closeSync(theirs)
    const exited = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    const over = new AbortController()
    const isLate = sleep(timeoutMs, true, { signal: over.signal }).catch(() => false)
    try {
      const timedOut = await Promise.race([exited.then(() => false), isLate])
      if (timedOut) {
        signalAll('SIGTERM')
        await Promise.race([
          exited,
          sleep(graceMs, undefined, { signal: over.signal }).catch(() => undefined),
        ])
      }
      const left = othersAlive() - (child.exitCode === null && child.signalCode === null ? 1 : 0)
      signalAll('SIGKILL')
      const { code, signal } = await exited
      await Promise.race([
        Promise.all([stdout.ended, stderr.ended]),
        sleep(drainMs, undefined, { signal: over.signal }).catch(() => undefined),
      ])
      const [out, err] = [stdout.end(), stderr.end()]
      return {
        exit_code: code,
        ...(signal === null ? {} : { signal }),
        timed_out: timedOut,
        stdout: out.text,
        stderr: err.text,
        ...(out.droppedBytes + err.droppedBytes === 0
          ? {}
          : { truncated: true, dropped_bytes: out.droppedBytes + err.droppedBytes }),
        ...(left > 0 ? { ended_background_processes: left } : {}),
        duration_ms: Math.round(performance.now() - started),
      }
    } finally {
      over.abort()
    }
  }
}

/** Every process but this one and pid 1, which the kernel spares. */
export function signalAll(signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-1, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function othersAlive(): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name) || name === '1' || name === String(process.pid)) return false
    try {
      return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${name}/stat`, 'utf8'))
    } catch {
      // It ended between the two looks.
      return false
    }
  }).length
}

/** Node does not name it. Such a descriptor keeps the pipe from vanishing and is neither a reader nor a writer. */
const O_PATH = 0o10000000
const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/**
 * Named pipes without names. What Node's spawn gives a child are sockets, and those cannot be opened by name: `echo >
 * /dev/stderr` would fail.
 */
function makePipes(): number[] {
  const dir = mkdtempSync(join(tmpdir(), 'muster-pipes-'))
  const paths = ['stdout', 'stderr'].map((name) => join(dir, name))
  execFileSync('mkfifo', ['-m', '600', ...paths])
  const held = paths.map((path) => openSync(path, O_PATH))
  rmSync(dir, { recursive: true })
  return held
}

type OpenPipe = ReturnType<typeof openPipe>

/** Opening one end of a named pipe waits for the other: the order, and O_NONBLOCK on our end only, avoid that. */
function openPipe(held: number, maxBytes: number) {
  const path = `/proc/self/fd/${held}`
  const kept = keepHeadAndTail(maxBytes)
  const ours = new Socket({ fd: openSync(path, O_RDONLY | O_NONBLOCK), readable: true, writable: false })
  ours.on('data', kept.add)
  ours.on('error', () => undefined)
  return {
    theirs: openSync(path, O_WRONLY),
    ended: new Promise<void>((resolve) => ours.once('close', () => resolve())),
    end() {
      ours.destroy()
      return kept.end()
    },
  }
}
