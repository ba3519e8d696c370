import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { PostgresError } from './postgres-error.ts'
import { type PostmasterFile, livingPostmaster, readPostmasterFile } from './postmaster-file.ts'
import { identify, isAlive } from './process-identity.ts'
import { lastWords, openStartLog } from './server-log.ts'
import { runAs } from './server-program.ts'
import type { ServerUser } from './server-user.ts'

export interface ServerExit {
  code: number | null
  signal: string | null
}

export interface Postmaster {
  pid: number
  adopted: boolean
  exited: Promise<ServerExit>
}

export interface Launch {
  program: string
  args: string[]
  dir: string
  data: string
  logDir: string
  user: ServerUser
}

// Crash recovery replays at most what max_wal_size (1 GB) holds; a slow disk does that in far less.
const startTimeoutMs = 300_000

/**
 * In a session of its own, so that Ctrl-C in the terminal reaches us and not the server: we stop it in order.
 * Answers as soon as the server has written its pid file, which is long before it is ready after a crash.
 */
export async function launch(options: Launch): Promise<{ postmaster: Postmaster; file: PostmasterFile }> {
  const output = await openStartLog(options.dir)
  const child = spawn(options.program, options.args, {
    ...runAs(options.user),
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  })
  const exited = new Promise<ServerExit>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  exited.catch(() => {})
  child.unref()
  await output.close()
  if (child.pid === undefined) throw await cannotRun(options.program, exited)
  const postmaster = { pid: child.pid, adopted: false, exited }
  return { postmaster, file: await waitFor(options, postmaster, () => true) }
}

async function cannotRun(program: string, failure: Promise<unknown>): Promise<PostgresError> {
  const cause: unknown = await failure.catch((error: unknown) => error)
  return new PostgresError(
    'start_failed',
    `cannot run ${program}: ${String(cause)}`,
    'Check the PostgreSQL installation.',
    {
      cause,
    },
  )
}

export function waitUntilReady(options: Pick<Launch, 'dir' | 'data' | 'logDir'>, postmaster: Postmaster) {
  return waitFor(options, postmaster, (file) => file.status === 'ready')
}

async function waitFor(
  options: Pick<Launch, 'dir' | 'data' | 'logDir'>,
  postmaster: Postmaster,
  reached: (file: PostmasterFile) => boolean,
): Promise<PostmasterFile> {
  const { exited, pid } = postmaster
  let end: ServerExit | undefined
  void exited.then((exit) => (end = exit))
  const deadline = Date.now() + startTimeoutMs
  for (;;) {
    const file = await readPostmasterFile(options.data)
    if (file?.pid === pid && file.socketDir !== '' && reached(file)) return file
    if (end !== undefined) throw await explainExit(options, end)
    if (Date.now() > deadline) throw tooSlow(pid, options.logDir)
    await sleep(5)
  }
}

async function explainExit(
  { dir, logDir }: Pick<Launch, 'dir' | 'logDir'>,
  exit: ServerExit,
): Promise<PostgresError> {
  const words = await lastWords(dir, logDir)
  const how = exit.signal ?? `code ${exit.code}`
  if (/pre-existing shared memory block|another server might be running|already exists/.test(words)) {
    return new PostgresError(
      'backends_linger',
      `processes of a former server still use this data: ${words}`,
      'They end by themselves within seconds; otherwise end them by their pids.',
    )
  }
  if (words.includes('incompatible with server')) {
    return new PostgresError(
      'version_mismatch',
      `the data was made by another major version of PostgreSQL: ${words}`,
      'Use the version that made it, or restore a backup into a fresh directory.',
    )
  }
  return new PostgresError(
    'start_failed',
    `the database server ended with ${how}: ${words}`,
    `See the files in ${logDir}.`,
  )
}

function tooSlow(pid: number, logDir: string): PostgresError {
  return new PostgresError(
    'start_timeout',
    `the database server (process ${pid}) is not ready after ${startTimeoutMs / 1000} s`,
    `It may still be recovering: see the files in ${logDir}.`,
  )
}

/**
 * The server that a former owner left running, once it has made up its mind: undefined when there is none or when it was
 * stopping and is now gone.
 */
export async function findRunning(data: string, logDir: string): Promise<Postmaster | undefined> {
  const deadline = Date.now() + startTimeoutMs
  for (;;) {
    const file = await livingPostmaster(data)
    if (file === undefined) return undefined
    if (file.status === 'ready') return watch(file.pid)
    if (Date.now() > deadline) throw tooSlow(file.pid, logDir)
    await sleep(50)
  }
}

/** Not our child, so the system does not tell us its end: look twice a second. */
async function watch(pid: number): Promise<Postmaster | undefined> {
  const identity = await identify(pid)
  if (identity === undefined) return undefined
  const exited = new Promise<ServerExit>((resolve) => {
    const timer = setInterval(() => {
      void isAlive(identity).then((alive) => {
        if (alive) return
        clearInterval(timer)
        resolve({ code: null, signal: null })
      })
    }, 500)
    timer.unref()
  })
  return { pid, adopted: true, exited }
}
