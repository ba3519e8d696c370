import { createNamespaceDriver } from '@muster/sandbox/namespace/driver'
import type { SandboxDriver } from '@muster/sandbox/sandbox'
import { arch, availableParallelism, hostname, platform } from 'node:os'
import manifest from '../package.json' with { type: 'json' }
import { readConfig } from './config.ts'
import { lockDirectory } from './directory-lock.ts'
import { createGit } from './git/git.ts'
import { createMirrors } from './git/mirror.ts'
import { createPublisher } from './git/publish.ts'
import { createHubLink, type HubLink } from './hub-link.ts'
import { openJournal } from './journal.ts'
import { createLog, type Log } from './log.ts'
import { emptyRuns, instanceOf, openPlaces } from './places.ts'
import { createRunner } from './runner.ts'
import { watchWalls } from './wall-watch.ts'
import { createWorker } from './worker.ts'

/** As the CLI's exit codes: denied. */
const deniedExit = 4

async function main(): Promise<void> {
  const config = readConfig(process.env)
  const log = createLog(config.logLevel)
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  // The channel to the parent is a lifeline: it closes even when the parent is killed -9, also before we are connected.
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stopping.abort(0))
  if (config.lifeline) process.on('disconnect', () => stopping.abort(0))
  // It may have closed while the modules were loaded.
  if (config.lifeline && process.connected === false) stopping.abort(0)

  const places = await openPlaces(config.dataDir)
  const release = await lockDirectory(config.dataDir)
  const driver = createNamespaceDriver({ stateDir: places.walls, tools: config.wallTools })
  await reap(driver, log)
  await emptyRuns(places.runs)
  const git = await createGit({ home: places.git })
  let link: HubLink | undefined
  const walls = await watchWalls(driver, (now) => {
    log.info({ walls: now }, 'the walls changed')
    void link?.request({ type: 'walls', walls: now }).catch(() => {})
  })
  const worker = createWorker({
    link: () => link as HubLink,
    journal: await openJournal(places.journal),
    runner: createRunner(
      {
        git,
        driver,
        mirrors: createMirrors({ dir: places.mirrors, git }),
        publisher: createPublisher({ git, home: places.git }),
        runsDir: places.runs,
      },
      log,
    ),
    log,
    identity: {
      instance: await instanceOf(config.dataDir),
      client: `muster-worker/${manifest.version}`,
      version: manifest.version,
      host: `${hostname()} (${platform()} ${arch()}, ${availableParallelism()} cores)`,
      slots: config.slots,
      capabilities: config.capabilities,
    },
    walls: walls.current,
    recheckWalls: () => void walls.recheck(),
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
      process.send?.({ type: 'ready', worker: welcome.workerName, walls: walls.current() })
    },
    onMessage: (message) => {
      if (message.type !== 'restart') worker.onMessage(message)
    },
    onFinal: (reason) => {
      log.fatal({ reason }, 'the hub refuses this worker; give it another token')
      stopping.abort(deniedExit)
    },
  })

  await aborted(stopping.signal)
  // A wall that does not end must not keep a stopped worker alive; the next start reaps it.
  setTimeout(() => process.exit(1), 15_000).unref()
  walls.stop()
  await worker.close()
  link.close()
  await release()
  process.exit(stopping.signal.reason as number)
}

async function reap(driver: SandboxDriver, log: Log): Promise<void> {
  try {
    const walls = await driver.adopt()
    if (walls.length > 0) log.info({ walls }, 'removed what an earlier worker left')
  } catch (error) {
    // Not a reason to stop: leftovers cost room, and the probe decides whether walls can be had.
    log.warn({ err: error }, 'leftovers of an earlier worker could not be removed')
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

main().catch((error: unknown) => {
  process.stderr.write(`worker: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
