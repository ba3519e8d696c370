import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmod, chown, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clusterUrl } from '@muster/postgres/cluster-url'
import { readPassword, superuser } from '@muster/postgres/initialise'
import { livingPostmaster } from '@muster/postgres/postmaster-file'
import { withClient } from '@muster/testkit/databases'
import { eventually } from '@muster/testkit/eventually'
import { startProcess, type RunningProcess } from '@muster/testkit/processes'
import { processesOf } from './processes-of.ts'

const root = join(import.meta.dirname, '../..')
const program = join(root, 'bin/muster.mjs')

export type CliResult = { code: number; stdout: string; stderr: string; json(): unknown }
export type Pids = { up: number; hub: number; worker: number; database: number }

export type StackOptions = {
  env?: Record<string, string>
  /** A directory of the caller's, which stays; otherwise one is made and removed. */
  dataDir?: string
  port?: number
  /** Runs as this user instead of ours. */
  uid?: number
}

export type Stack = {
  data: string
  port: number
  url: string
  /** The process that a person starts: bin/muster.mjs. The supervisor is its child. */
  process: RunningProcess
  /** How long it took from the start of the process to its word that it serves. */
  startMs: number
  muster(...args: string[]): Promise<CliResult>
  musterWith(env: Record<string, string>, ...args: string[]): Promise<CliResult>
  /** What `up` recorded; the children of a killed one have another number after their restart. */
  pids(): Promise<Pids>
  api(path: string, init?: { method?: string; body?: unknown; token?: string }): Promise<ApiAnswer>
  /** As the superuser of the embedded database: sees every workspace. */
  sql<Row>(text: string, params?: unknown[]): Promise<Row[]>
  /** Ends it by SIGTERM and fails when anything of it stays. */
  stop(): Promise<void>
}

type ApiAnswer = { status: number; body: unknown; headers: Headers }

/** Muster as a person starts it, on a port and in a data directory of its own. Resolves when it has said that it serves. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const data = options.dataDir ?? (await newDirectory('muster-scenario-', options.uid))
  const port = options.port ?? (await freePort())
  const env = environment(data, { MUSTER_PORT: String(port), ...options.env })
  const began = performance.now()
  const process = startMuster(['up'], env, options.uid)
  endWithUs(process)
  try {
    await process.line(/^ {2}stop /, { timeoutMs: 120_000 })
  } catch (error) {
    await process.kill('SIGTERM')
    throw error
  }
  const startMs = performance.now() - began
  const url = `http://127.0.0.1:${port}`
  return {
    data,
    port,
    url,
    process,
    startMs,
    muster: (...args) => runMuster(args, env),
    musterWith: (more, ...args) => runMuster(args, { ...env, ...more }),
    pids: () => readPids(data),
    api: async (path, init = {}) => callApi(url, path, { token: await ownerToken(data), ...init }),
    sql: (text, params = []) => query(data, text, params),
    async stop() {
      process.child.kill('SIGTERM')
      const { code, signal } = await process.exited
      await expectNothingOf(data)
      if (options.dataDir === undefined) await rm(data, { recursive: true, force: true })
      if (code !== 0) throw new Error(`up ended with ${code ?? signal}:\n${process.output()}`)
    },
  }
}

/** A test that fails half-way must not leave a whole Muster behind; one that ended in order is not there any more. */
function endWithUs({ child, exited }: RunningProcess): void {
  const end = () => child.kill('SIGTERM')
  process.once('exit', end)
  void exited.then(
    () => process.off('exit', end),
    () => {},
  )
}

/** A directory that the database's and the walls' users may pass through, as one in /srv would be. */
export async function newDirectory(prefix: string, uid?: number): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), prefix))
  await chmod(dir, 0o711)
  if (uid !== undefined) await chown(dir, uid, uid)
  return dir
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no port is free')
  return address.port
}

/** Built from little, so that the developer's own settings and keys do not take part. */
export function environment(data: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: data,
    LC_ALL: 'C.UTF-8',
    MUSTER_DATA: data,
    // Nobody's models are asked for.
    MUSTER_OLLAMA_URL: 'http://127.0.0.1:9',
    ...more,
  }
}

export function startMuster(args: string[], env: Record<string, string>, uid?: number): RunningProcess {
  // As another user with no groups of ours; setpriv replaces itself, so the pid is that of Muster.
  const as = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--']
  const [first = '', ...rest] = [...as, process.execPath, program, ...args]
  return startProcess(first, rest, { cwd: root, env })
}

export async function runMuster(args: string[], env: Record<string, string>): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const options = { cwd: root, env, timeout: 180_000, maxBuffer: 64 * 1024 * 1024 }
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      // Not started at all, or stopped because time was up.
      if (typeof code !== 'number') return reject(error ?? new Error('no exit code'))
      resolve({ code, stdout, stderr, json: () => JSON.parse(stdout) as unknown })
    })
  })
}

export async function ownerToken(data: string): Promise<string> {
  return (await readFile(join(data, 'owner.token'), 'utf8')).trim()
}

async function readPids(data: string): Promise<Pids> {
  return eventually(
    async () => {
      const file = JSON.parse(await readFile(join(data, 'up.json'), 'utf8')) as Record<string, number | null>
      const { pid, hubPid, workerPid, databasePid } = file
      // A part that is being started again has no number for a moment.
      return pid && hubPid && workerPid && databasePid
        ? { up: pid, hub: hubPid, worker: workerPid, database: databasePid }
        : undefined
    },
    { timeoutMs: 60_000, what: `all parts run, by up.json in ${data}` },
  )
}

async function callApi(
  origin: string,
  path: string,
  { method = 'GET', body, token }: { method?: string; body?: unknown; token: string },
): Promise<ApiAnswer> {
  const answer = await fetch(`${origin}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  })
  return { status: answer.status, body: await answer.json(), headers: answer.headers }
}

export async function databaseUrl(data: string): Promise<string> {
  const home = join(data, 'database')
  const server = await livingPostmaster(join(home, 'data'))
  if (server === undefined) throw new Error(`no database server runs in ${home}`)
  return clusterUrl(server, { user: superuser, password: await readPassword(home), database: 'muster' })
}

async function query<Row>(data: string, text: string, params: unknown[]): Promise<Row[]> {
  const url = await databaseUrl(data)
  return withClient(url, async (client) => (await client.query(text, params)).rows as Row[])
}

/** Fails when a process of this data directory lives. Those that are just ending are waited for. */
export async function expectNothingOf(text: string, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const left = await processesOf(text)
    if (left.length === 0) return
    if (performance.now() > deadline) {
      const list = left.map(({ pid, uid, command }) => `  ${pid} (uid ${uid}) ${command.slice(0, 200)}`)
      throw new Error(`processes of ${text} are left:\n${list.join('\n')}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
