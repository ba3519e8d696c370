import { readConfig } from '../../../apps/hub/src/config.ts'
import { createHub } from '../../../apps/hub/src/hub.ts'
import { ensureOwner } from '../../../apps/hub/src/identity/first-start.ts'
import { isDatabaseDown } from '../../../apps/hub/src/kernel/errors.ts'
import { createLog } from '../../../apps/hub/src/kernel/log.ts'
import { migrate } from '../../../apps/hub/src/kernel/migrate.ts'
import { leaveLocalTokens } from '../../../apps/hub/src/local-tokens.ts'
import { flushCompileCache } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { leaseMs } from '../settings.ts'

/** What a hub of the rig is started with, as JSON in its only argument. */
export type HubStart = { databaseUrl: string; dataDir: string; port: number; notify: 'on' | 'off' }

/** The hub as shipped but for the length of its leases, which no setting reaches. */
async function main(start: HubStart): Promise<void> {
  const log = createLog({ level: 'info', name: 'hub' })
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  process.on('disconnect', () => process.exit(0))
  await whenReachable(() => migrate(start.databaseUrl))
  const config = readConfig({
    MUSTER_DATABASE_URL: start.databaseUrl,
    MUSTER_DATA: start.dataDir,
    MUSTER_PORT: String(start.port),
    MUSTER_LOCAL: '1',
    MUSTER_NOTIFY: start.notify,
  })
  const hub = await createHub({ config, log, leaseMs })
  await whenReachable(async () => {
    await ensureOwner(hub.db)
    await leaveLocalTokens(hub, hub.isValidToken, start.dataDir)
  })
  const url = await hub.listen()
  hub.start()
  process.send?.({ type: 'ready', url })
  flushCompileCache()
}

/** The database may be away because of the same fault. */
async function whenReachable(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work()
      return
    } catch (error) {
      const isAway = isDatabaseDown(error) || (error as { code?: string }).code === 'database_unavailable'
      if (!isAway) throw error
      await sleep(200)
    }
  }
}

await main(JSON.parse(process.argv[2] ?? '') as HubStart)
