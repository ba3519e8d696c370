import { chmod, mkdir, realpath, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { type Binaries, binariesIn, bundledBinaries } from './binaries.ts'
import { clusterUrl, type DatabaseAddress } from './cluster-url.ts'
import { checkDurability } from './durability.ts'
import { type Guard, outwaitOldGuard, startGuard } from './guard.ts'
import { ensureInitialised, readPassword, superuser } from './initialise.ts'
import { type OwnerLock, takeOwnerLock } from './owner-lock.ts'
import { PostgresError } from './postgres-error.ts'
import { findRunning, launch, type Postmaster, type ServerExit, waitUntilReady } from './postmaster.ts'
import { livingPostmaster, type PostmasterFile, removeStalePostmasterFile } from './postmaster-file.ts'
import { serverProcessesOf } from './process-identity.ts'
import { prepareLogDirectory, pruneLogs } from './server-log.ts'
import { serverArguments, type ServerSettings } from './server-settings.ts'
import { chooseServerUser, requireReachable, type ServerUser } from './server-user.ts'
import { prepareSocketDirectory, removeStaleSockets, socketPort } from './socket-directory.ts'
import { stopServer } from './stop-server.ts'

export interface ClusterOptions {
  /** Holds everything: data, password, log, lock. Made when missing. */
  dir: string
  /** Where the socket's own folder is made; the path has to stay short. /tmp unless given. */
  socketParent?: string
  /** The bin folder of another PostgreSQL instead of the one from npm. */
  binaries?: string
  log: (line: string) => void
  /** Server settings over ours, by their names in postgresql.conf. */
  settings?: ServerSettings
}

export interface Cluster {
  socketDir: string
  port: number
  superuserUrl: string
  urlFor(address: DatabaseAddress): string
  pid: number
  /** True when the server was found running: a former owner was killed and left it. Its settings are that owner's. */
  adopted: boolean
  /** The server is gone, whoever ended it. */
  exited: Promise<ServerExit>
  /** Ends the server in order and gives the directory free. Safe to call twice. */
  stop(): Promise<void>
}

interface Home {
  dir: string
  data: string
  logDir: string
  user: ServerUser
}

interface Place extends Home {
  socketDir: string
}

// PostgreSQL's backends notice a dead postmaster at once unless they are in the middle of a long statement.
const lingerLimitMs = 30_000

/**
 * Opens the PostgreSQL of a directory: makes it, starts it, or adopts the server that a killed owner left behind.
 * Contract: at most one living process owns a directory; the server that is answered is durable, answers to our
 * password, and is stopped when its owner dies, however it dies.
 */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const home = await prepareHome(resolve(options.dir))
  const lock = await takeOwnerLock(join(home.dir, 'lock'))
  try {
    // Only as owner: the former one removes the socket's folder when it stops.
    const socketDir = await prepareSocketDirectory(home.dir, options.socketParent ?? '/tmp', home.user)
    return await openOwned({ ...home, socketDir }, options, lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function prepareHome(asked: string): Promise<Home> {
  const user = await chooseServerUser(join(asked, 'data'))
  const root = process.getuid?.() === 0
  await requireReachable(resolve(asked, '..'), user)
  // Root keeps lock and password to itself; the server's user only passes through to data and log.
  await mkdir(asked, { recursive: true, mode: root ? 0o711 : 0o700 })
  if (root) await chmod(asked, (await stat(asked)).mode | 0o111)
  await requireReachable(asked, user)
  const dir = await realpath(asked)
  return { dir, data: join(dir, 'data'), logDir: join(dir, 'log'), user }
}

async function openOwned(place: Place, options: ClusterOptions, lock: OwnerLock): Promise<Cluster> {
  await prepareLogDirectory(place.logDir, place.user)
  await outwaitOldGuard(place.dir)
  const found = await findRunning(place.data, place.logDir)
  const running = found === undefined ? await start(place, options) : await adopt(place, found, options)
  const password = await readPassword(place.dir)
  const urlFor = (address: DatabaseAddress) => clusterUrl(running.file, address)
  const superuserUrl = urlFor({ user: superuser, password, database: 'postgres' })
  try {
    await verify(superuserUrl)
  } catch (error) {
    // A server that we did not start keeps running: refusing it must not take it away from anybody.
    if (!running.postmaster.adopted) await stopServer(running.postmaster)
    await running.guard.dismiss()
    throw error
  }
  return own(place, running, lock, { urlFor, superuserUrl })
}

interface Running {
  postmaster: Postmaster
  file: PostmasterFile
  guard: Guard
}

async function adopt(place: Place, postmaster: Postmaster, options: ClusterOptions): Promise<Running> {
  const file = await livingPostmaster(place.data)
  if (file === undefined) return start(place, options)
  options.log(`adopting the database server that is running as process ${postmaster.pid}`)
  return { postmaster, file, guard: await startGuard(place.dir, file, place.user, options.log) }
}

async function start(place: Place, options: ClusterOptions): Promise<Running> {
  const binaries = options.binaries
    ? binariesIn(options.binaries)
    : await bundledBinaries(place.dir, place.user)
  await ensureInitialised(place.dir, binaries, place.user)
  const deadline = Date.now() + lingerLimitMs
  for (;;) {
    await waitForFormerServer(place.data, deadline)
    await removeStalePostmasterFile(place.data)
    await removeStaleSockets(place.socketDir)
    try {
      return await startOnce(place, binaries, options)
    } catch (error) {
      const lingering = error instanceof PostgresError && error.code === 'backends_linger'
      if (!lingering || Date.now() > deadline) throw error
      await sleep(250)
    }
  }
}

async function startOnce(place: Place, binaries: Binaries, options: ClusterOptions): Promise<Running> {
  const args = serverArguments({ ...place, port: socketPort }, options.settings ?? {})
  const { postmaster, file } = await launch({ program: binaries.postgres, args, ...place })
  const guard = await startGuard(place.dir, file, place.user, options.log)
  try {
    await waitUntilReady(place, postmaster)
    return { postmaster, file, guard }
  } catch (error) {
    await stopServer(postmaster)
    await guard.dismiss()
    throw error
  }
}

async function waitForFormerServer(data: string, deadline: number): Promise<void> {
  for (;;) {
    const pids = await serverProcessesOf(data)
    if (pids.length === 0) return
    if (Date.now() > deadline) {
      throw new PostgresError(
        'backends_linger',
        `processes ${pids.join(', ')} of a former server still use ${data} after ${lingerLimitMs / 1000} s`,
        `End them, then start again: kill ${pids.join(' ')}`,
      )
    }
    await sleep(50)
  }
}

/** One connection tells that it is our server (it takes our password) and that it keeps what it acknowledges. */
async function verify(superuserUrl: string): Promise<void> {
  const client = new Client({
    connectionString: superuserUrl,
    connectionTimeoutMillis: 30_000,
    // Also keeps the caller's PGOPTIONS out.
    options: '-c statement_timeout=30000',
  })
  client.on('error', () => {})
  await client.connect()
  try {
    await checkDurability(client)
  } finally {
    await client.end()
  }
}

function own(
  place: Place,
  { postmaster, file, guard }: Running,
  lock: OwnerLock,
  urls: Pick<Cluster, 'urlFor' | 'superuserUrl'>,
): Cluster {
  const pruning = setInterval(() => void pruneLogs(place.logDir).catch(() => {}), 3_600_000).unref()
  void postmaster.exited.then(async () => {
    clearInterval(pruning)
    await guard.dismiss()
  })
  const stopOnce = async () => {
    await stopServer(postmaster)
    clearInterval(pruning)
    await guard.dismiss()
    await rm(place.socketDir, { recursive: true, force: true })
    await lock.release()
  }
  let stopping: Promise<void> | undefined
  return {
    socketDir: file.socketDir,
    port: file.port,
    ...urls,
    pid: postmaster.pid,
    adopted: postmaster.adopted,
    exited: postmaster.exited,
    stop: () => (stopping ??= stopOnce()),
  }
}
