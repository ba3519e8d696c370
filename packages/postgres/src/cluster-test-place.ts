import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { onTestFinished } from 'vitest'
import { type Cluster, type ClusterOptions, openCluster } from './cluster.ts'
import { socketDirectoryFor } from './socket-directory.ts'
import { isAlive, type ProcessIdentity, serverProcessesOf } from './process-identity.ts'

/**
 * A fresh directory; whatever of a server is left in it at the test's end is ended by pid. First by SIGQUIT: a killed
 * postmaster would leave a file in /dev/shm, which only its next start removes.
 */
export async function freshPlace(name = 'muster-pg-test-'): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), name))
  onTestFinished(async () => {
    const left = () => serverProcessesOf(join(dir, 'data'))
    for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
      for (const pid of await left()) kill(pid, signal)
      await eventuallyTrue(async () => (await left()).length === 0)
    }
    await rm(socketDirectoryFor(dir, '/tmp'), { recursive: true, force: true })
    await rm(dir, { recursive: true, force: true })
  })
  return dir
}

export async function open(dir: string, more: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const cluster = await openCluster({ dir, log: () => {}, ...more })
  onTestFinished(() => cluster.stop())
  return cluster
}

export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

export interface Owner {
  child: ChildProcess
  serverPid: number
  url: string
}

/** Another process that opens the cluster and holds it until it is killed. */
export async function ownerProcess(
  dir: string,
  options: { uid?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<Owner> {
  const module = JSON.stringify(new URL('cluster.ts', import.meta.url).href)
  const script = `
    import { openCluster } from ${module}
    const cluster = await openCluster({ dir: ${JSON.stringify(dir)}, log: () => {} })
    console.log(JSON.stringify({ serverPid: cluster.pid, url: cluster.superuserUrl }))
    process.on('SIGTERM', async () => { await cluster.stop(); process.exit(0) })
    setInterval(() => {}, 1000)`
  const identity = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    ...identity,
    env: { ...process.env, ...options.env },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  const said = await Promise.race([
    once(child.stdout, 'data').then(([chunk]) => String(chunk)),
    once(child, 'exit').then(() => Promise.reject(new Error(`the owner ended: ${errors}`))),
  ])
  return { child, ...(JSON.parse(said) as { serverPid: number; url: string }) }
}

export async function guardOf(dir: string): Promise<ProcessIdentity> {
  return JSON.parse(await readFile(join(dir, 'guard'), 'utf8')) as ProcessIdentity
}

export async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

export async function gone(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  return eventuallyTrue(async () => !(await isAlive(identity)), withinMs)
}

export async function eventuallyTrue(look: () => Promise<boolean>, withinMs = 10_000): Promise<boolean> {
  const deadline = Date.now() + withinMs
  while (!(await look())) {
    if (Date.now() > deadline) return false
    await sleep(50)
  }
  return true
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Already gone: what was wanted.
  }
}
