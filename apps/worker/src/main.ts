import type { WallStatus } from '@muster/contract/workers'
import { createNamespaceDriver } from '@muster/sandbox/namespace/driver'
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { arch, availableParallelism, hostname, platform } from 'node:os'
import { join } from 'node:path'
import { readConfig } from './config.ts'
import { lockDirectory } from './directory-lock.ts'
import { createGit } from './git/git.ts'
import { createMirrors } from './git/mirror.ts'
import { createPublisher } from './git/publish.ts'
import { createHubLink, type HubLink } from './hub-link.ts'
import { openJournal } from './journal.ts'
import { createLog } from './log.ts'
import { createWorker } from './worker.ts'
import manifest from '../package.json' with { type: 'json' }

const config = readConfig(process.env)
const log = createLog(config.logLevel)

// Bubblewrap may be installed while the worker runs; then waiting tasks start without a restart.
const probeAgainMs = 30_000

async function main(): Promise<void> {
  const places = await openPlaces(config.dataDir)
  const release = await lockDirectory(config.dataDir)
  const driver = createNamespaceDriver({ stateDir: places.walls, tools: config.wallTools, ...sharedUids() })
  const reaped = await driver.adopt().catch((error: unknown) => {
    log.warn({ err: error }, 'leftovers of an earlier worker could not be looked for')
    return []
  })
  if (reaped.length > 0) log.info({ walls: reaped }, 'removed what an earlier worker left')
  await emptyRuns(places.runs)

  const git = await createGit({ home: places.git })
  const journal = await openJournal(places.journal)
  const probe = async (): Promise<WallStatus> => ({ kind: 'namespace', ...(await driver.probe()) })
  let walls = [await probe()]
  let link: HubLink | undefined
  const recheck = async () => {
    const now = [await probe()]
    if (JSON.stringify(now) === JSON.stringify(walls)) return
    walls = now
    log.info({ walls }, 'the walls changed')
    await link?.request({ type: 'walls', walls }).catch(() => {})
  }
  const worker = createWorker({
    link: () => link as HubLink,
    journal,
    tools: {
      git,
      driver,
      mirrors: createMirrors({ dir: places.mirrors, git }),
      publisher: createPublisher({ git, home: places.git }),
      runsDir: places.runs,
    },
    log,
    identity: {
      instance: await instanceOf(config.dataDir),
      version: manifest.version,
      host: `${hostname()} (${platform()} ${arch()}, ${availableParallelism()} cores)`,
      slots: config.slots,
    },
    walls: () => walls,
    recheckWalls: () => void recheck(),
    now: () => performance.now(),
  })
  await worker.recover()
  link = createHubLink({
    origin: config.hub,
    token: config.token,
    log,
    hello: worker.hello,
    onWelcome: (welcome) => {
      worker.onWelcome(welcome)
      process.send?.({ type: 'ready', worker: welcome.workerName, walls })
    },
    onMessage: worker.onMessage,
    onFinal: (reason) => {
      log.fatal({ reason }, 'the hub refuses this worker; give it another token')
      void stop(4)
    },
  })
  const probing = setInterval(
    () => void (walls.every((wall) => wall.ok) ? undefined : recheck()),
    probeAgainMs,
  )

  let stopping = false
  const stop = async (code: number) => {
    if (stopping) return
    stopping = true
    clearInterval(probing)
    // A wall that does not end must not keep a stopped worker alive; the next start reaps it.
    setTimeout(() => process.exit(1), 15_000).unref()
    await worker.close()
    link?.close()
    await release()
    process.exit(code)
  }
  process.on('SIGTERM', () => void stop(0))
  process.on('SIGINT', () => void stop(0))
  // The channel to the parent is a lifeline: it closes even when the parent is killed -9.
  if (config.lifeline) process.on('disconnect', () => void stop(0))
}

/**
 * Walls run as users of their own, who must be able to pass through to their workspace; everything else is the
 * worker's alone.
 */
async function openPlaces(dataDir: string) {
  const at = (name: string) => join(dataDir, name)
  const places = {
    runs: at('runs'),
    walls: at('walls'),
    journal: at('journal'),
    mirrors: at('mirrors'),
    git: at('git'),
  }
  await mkdir(dataDir, { recursive: true })
  await chmod(dataDir, 0o711)
  for (const path of Object.values(places)) await mkdir(path, { recursive: true, mode: 0o700 })
  await chmod(places.runs, 0o711)
  await chmod(places.walls, 0o711)
  return places
}

/** As root, the workers of a machine must not give two walls one user, so their locks are in one place. */
function sharedUids(): { uidLocks?: string } {
  return process.getuid?.() === 0 ? { uidLocks: '/run/muster/uids' } : {}
}

/** Checkouts of runs that an earlier process did not live to remove; the runs themselves are in the journal. */
async function emptyRuns(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { mode: 0o711 })
  await chmod(dir, 0o711)
}

async function instanceOf(dataDir: string): Promise<string> {
  const path = join(dataDir, 'instance')
  const known = await readFile(path, 'utf8').catch(() => '')
  if (known !== '') return known.trim()
  const made = randomUUID()
  await writeFile(path, `${made}\n`, { mode: 0o600 })
  return made
}

process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))

main().catch((error: unknown) => {
  log.fatal({ err: error }, error instanceof Error ? error.message : 'the worker cannot start')
  process.exit(1)
})
