import { flushCompileCache } from 'node:module'
import { readConfig, type Config } from './config.ts'
import type { Hub } from './hub.ts'
import { isDatabaseDown } from './kernel/errors.ts'
import { createLog, type Log } from './kernel/log.ts'
import { migrate } from './kernel/migrate.ts'

async function main(): Promise<void> {
  const config = readConfig(process.env)
  const log = createLog({ level: config.logLevel, name: 'hub' })
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  // The channel to the parent is a lifeline: it closes even when the parent is killed -9, also before we serve.
  let stop: (why: string) => void = () => process.exit(0)
  const onParentGone = () => stop('the parent process is gone')
  if (config.lifeline) process.on('disconnect', onParentGone)
  if (config.lifeline && process.channel !== undefined && !process.connected) onParentGone()

  const hub = await openHub(config, log)
  const url = await hub.listen()
  const loops = hub.start()
  log.info({ url }, 'the hub serves')
  process.send?.({ type: 'ready', url })
  // Written only at an orderly end otherwise, which a hub that is killed does not have.
  flushCompileCache()

  stop = once(async (why: string) => {
    log.info({ why }, 'the hub stops')
    await loops.stop()
    await hub.close()
    process.exit(0)
  })
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
}

/** Loads the rooms while the database is looked at: each takes a third of the time that a killed hub is missing. */
async function openHub(config: Config, log: Log): Promise<Hub> {
  const [{ applied }, { createHub }, { ensureOwner }, { leaveLocalTokens }] = await Promise.all([
    whenReachable(() => migrate(config.databaseUrl), log),
    import('./hub.ts'),
    import('./identity/first-start.ts'),
    import('./local-tokens.ts'),
  ])
  if (applied.length > 0) log.info({ applied }, 'the database was migrated')
  const hub = await createHub({ config, log })
  await ensureOwner(hub.db)
  if (config.local) await leaveLocalTokens(hub, hub.isValidToken, config.dataDir)
  return hub
}

/** The database may be starting beside us; anything but its absence is a real error at once. */
async function whenReachable<T>(work: () => Promise<T>, log: Log): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isDatabaseDown(error) || attempt === 60) throw error
      if (attempt === 1) log.warn({ err: error }, 'waiting for the database')
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
}

function once(work: (why: string) => Promise<void>): (why: string) => void {
  let begun = false
  return (why) => {
    if (begun) return
    begun = true
    // Whatever hangs in closing must not keep a stopped hub alive.
    setTimeout(() => process.exit(1), 10_000).unref()
    void work(why)
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`hub: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
