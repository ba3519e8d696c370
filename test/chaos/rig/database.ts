import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, rmSync, statfsSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openCluster, type Cluster } from '@muster/postgres/cluster'
import { readPassword, superuser } from '@muster/postgres/initialise'
import { serverProcessesOf } from '@muster/postgres/process-identity'
import { Client } from 'pg'

const role = 'muster_owner'
const password = 'chaos'
const name = 'muster'

// A run of 300 rounds needs some 300 MB; the rest is filled by the fault that fills the disk.
const volumeMb = 768

/**
 * The embedded PostgreSQL on a volume of its own, so that filling it harms nothing else. As root that is a tmpfs of
 * bounded size; otherwise a plain folder, and the fault that fills it cannot be had.
 */
export async function startDatabase(
  dir: string,
  log: (line: string) => void,
  accident: (what: string) => void,
) {
  const volume = join(dir, 'database')
  mkdirSync(volume)
  const isBounded = process.getuid?.() === 0 && mountTmpfs(volume)
  chmodSync(volume, 0o711)
  const home = join(volume, 'cluster')
  const open = () =>
    openCluster({ dir: home, log, settings: { max_connections: '120', max_wal_size: '96MB' } })
  let cluster: Cluster = await open()
  let isWanted = true
  const watch = () =>
    void cluster.exited.then(({ code, signal }) => {
      if (isWanted) accident(`the database ended by itself: ${signal ?? `exit code ${code}`}`)
    })
  watch()
  await makeOwner(cluster)
  const superPassword = await readPassword(home)
  const ballast = join(volume, 'ballast')

  /** The server is gone, and with it every process of it. */
  const ended = async () => {
    await cluster.exited
    await cluster.stop()
  }
  const session = async (options: string): Promise<Client> => {
    const client = new Client({
      connectionString: cluster.urlFor({ user: superuser, password: superPassword, database: name }),
      options,
      connectionTimeoutMillis: 10_000,
    })
    client.on('error', () => {})
    await client.connect()
    return client
  }
  /** What an operator does to the server; never to a row. */
  const operate = async (...statements: string[]): Promise<void> => {
    const client = await session('-c default_transaction_read_only=off')
    for (const statement of statements) await client.query(statement)
    await client.end()
  }
  return {
    isBounded,
    /** What the hub is given; its host is a folder with a socket in it, the proxy's and not the server's. */
    urlThrough: (socketDir: string) =>
      `postgres://${role}:${password}@localhost/${name}?host=${encodeURIComponent(socketDir)}`,
    connect: (): Socket => connect(join(cluster.socketDir, `.s.PGSQL.${cluster.port}`)),

    /** A session that cannot write: the rig never helps a task along. */
    reader: () => session('-c search_path=muster -c default_transaction_read_only=on'),

    /** For every session, also those that are open. Answers the way back. */
    async forbidWriting() {
      await operate('alter system set default_transaction_read_only = on', 'select pg_reload_conf()')
      return () => operate('alter system reset default_transaction_read_only', 'select pg_reload_conf()')
    },
    /** For everybody but the superuser. Answers the way back. */
    async forbidConnecting() {
      await operate(`alter database ${name} connection limit 0`)
      return () => operate(`alter database ${name} connection limit -1`)
    },

    /** The postmaster at once, what it started as soon as it is found. */
    kill() {
      isWanted = false
      process.kill(cluster.pid, 'SIGKILL')
      return (async () => {
        for (const pid of await serverProcessesOf(join(home, 'data'))) end(pid, 'SIGKILL')
        await ended()
      })()
    },
    /** As `pg_ctl stop` does: fast breaks the sessions off in order, immediate leaves recovery to the next start. */
    stop(how: 'fast' | 'immediate') {
      isWanted = false
      end(cluster.pid, how === 'fast' ? 'SIGINT' : 'SIGQUIT')
      return ended()
    },
    async start() {
      cluster = await open()
      isWanted = true
      watch()
    },
    /**
     * Leaves no free block on the volume; answers how that went, and the way back. A server that cannot write its log ends itself and is
     * started again once there is room, as an operator would.
     */
    fillDisk() {
      fill(volume, ballast)
      isWanted = false
      let hasEnded = false
      void cluster.exited.then(() => (hasEnded = true))
      const makeRoom = async () => {
        rmSync(ballast, { force: true })
        // Recovery that failed for want of room ends the server a moment later.
        await sleep(200)
        if (hasEnded) {
          await cluster.stop()
          cluster = await open()
          watch()
        }
        isWanted = true
      }
      return { hasEnded: () => hasEnded, makeRoom }
    },
    async close() {
      isWanted = false
      rmSync(ballast, { force: true })
      await cluster.stop()
      if (isBounded) unmount(volume)
    },
  }
}
export type Database = Awaited<ReturnType<typeof startDatabase>>

/** Most of it in one step, and the rest, which the server is taking from too, until there is nothing left. */
function fill(volume: string, path: string): void {
  const { bavail, bsize } = statfsSync(volume)
  execFileSync('fallocate', ['-l', String(Math.max(bsize, bavail * bsize - 4 * 1024 * 1024)), path])
  try {
    for (;;) appendFileSync(path, Buffer.alloc(bsize))
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOSPC') throw error
  }
}

function mountTmpfs(path: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${volumeMb}m`, 'tmpfs', path], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Also what is no mount any more. */
export function unmount(path: string): void {
  try {
    execFileSync('umount', ['-l', path], { stdio: 'ignore' })
  } catch {
    // Nothing was mounted there.
  }
}

async function makeOwner(cluster: Cluster): Promise<void> {
  const client = new Client({ connectionString: cluster.superuserUrl })
  client.on('error', () => {})
  await client.connect()
  await client.query(`create role ${role} login createrole password '${password}'`)
  await client.query(`create database ${name} owner ${role}`)
  await client.end()
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended meanwhile.
  }
}
