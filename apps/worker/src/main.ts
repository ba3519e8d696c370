import { aborted } from './aborted.ts'
import { readConfig, type Config } from './config.ts'
import { lockDirectory } from './directory-lock.ts'
import { identityOf } from './identity.ts'
import { createHubLink, type HubLink } from './hub-link.ts'
import { openJournal } from './journal.ts'
import { createLog, type Log } from './log.ts'
import { openRunner } from './open-runner.ts'
import { openPlaces } from './places.ts'
import { createRestart } from './restart.ts'
import { watchSelf } from './self-watch.ts'
import { createNotifier } from './systemd-notify.ts'
import { createWake } from './wake.ts'
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

  const worker = await openWorker(config, log, stopping)
  await aborted(stopping.signal)
  // A wall that does not end must not keep a stopped worker alive; the next start reaps it.
  setTimeout(() => process.exit(1), 15_000).unref()
  await worker.close()
  process.exit(stopping.signal.reason as number)
}

/** The parts, connected. The link comes last, because its first hello must say what every other part knows. */
async function openWorker(config: Config, log: Log, stopping: AbortController) {
  const places = await openPlaces(config.dataDir)
  const release = await lockDirectory(config.dataDir)
  const { driver, runner } = await openRunner(places, config, log, process.env)
  const notifier = createNotifier(config.notify, log)
  let link: HubLink | undefined
  const linked = () => link as HubLink
  let newer = new AbortController()
  const walls = await watchWalls(driver, (now) => {
    log.info({ walls: now }, 'the walls changed')
    // An older word that could not be written yet must not come after this one.
    newer.abort()
    newer = new AbortController()
    void link?.deliver({ type: 'walls', walls: now }, newer.signal).catch(() => {})
  })
  const self = await watchSelf({
    dataDir: config.dataDir,
    ceilingBytes: config.memoryCeilingBytes,
    ollamaUrl: config.ollamaUrl,
    link: () => link,
    environment: process.env,
    onMemory: (reason) => restart.request('memory', reason),
    log,
  })
  const worker = createWorker({
    link: linked,
    journal: await openJournal(places.journal),
    runner,
    log,
    identity: await identityOf(config),
    recheckWalls: () => void walls.recheck(),
    condition: () => ({ walls: walls.current(), ...self.condition() }),
    room: self.look,
    wake:
      config.wake.length === 0
        ? async () => null
        : createWake({ words: config.wake, env: config.wakeEnv }, { link: linked, log }),
    now: () => performance.now(),
  })
  const restart = createRestart({
    supervisor: self.supervisor,
    graceMs: config.restartGraceMs,
    link: linked,
    drain: worker.drain,
    log,
    end: (code) => stopping.abort(code),
  })
  process.on('SIGUSR2', () => restart.request('signal', 'SIGUSR2'))
  await worker.recover()
  link = createHubLink({
    origin: config.hub,
    token: config.token,
    log,
    hello: worker.hello,
    onWelcome: (welcome) => {
      worker.onWelcome(welcome)
      self.tell()
      restart.announce()
      void notifier.ready(`connected to ${config.hub} as ${welcome.workerName}`)
      process.send?.({ type: 'ready', worker: welcome.workerName, walls: walls.current() })
    },
    onMessage: (message) => {
      if (message.type !== 'restart') worker.onMessage(message)
      else restart.request('order', `ordered by ${message.by}`, message)
    },
    onFinal: (reason) => {
      log.fatal({ reason }, 'the hub refuses this worker; give it another token')
      stopping.abort(deniedExit)
    },
  })
  return {
    async close(): Promise<void> {
      void notifier.stopping()
      walls.stop()
      self.stop()
      await worker.close()
      link.close()
      await release()
    },
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`worker: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
