import { setTimeout as sleep } from 'node:timers/promises'
import { instant } from '../clock.ts'
import type { Database } from '../rig/database.ts'
import type { HubSlot } from '../rig/rig.ts'
import { leaseMs } from '../settings.ts'
import type { Fault } from './fault.ts'

/** The database goes away and comes back; the hub must live through it. */
export const databaseFaults: Fault[] = [
  {
    name: 'database killed',
    strike({ rig: { database } }) {
      const at = instant()
      const gone = database.kill()
      return { at, holdMs: 0, countsFrom: 'strike', heal: () => gone.then(database.start) }
    },
  },
  ...(['fast', 'immediate'] as const).map((how): Fault => ({
    name: `database restarted, ${how}`,
    strike({ rig: { database }, random }) {
      const at = instant()
      const gone = database.stop(how)
      return {
        at,
        holdMs: random.pick([0, 500]),
        countsFrom: 'strike',
        heal: () => gone.then(database.start),
      }
    },
  })),
  {
    name: 'sessions of the hub terminated',
    async strike({ rig: { database } }) {
      const at = instant()
      const ended = await endSessions(database)
      return { at, holdMs: 0, heal: () => {}, wasFelt: () => ended > 0 }
    },
  },
  {
    name: 'commit done, its answer lost',
    async strike({ hub, isIdle }) {
      // With nothing to do the hub still commits its sweep every second.
      const at = await hub.watch.loseCommit(isIdle)
      return { at, holdMs: 0, heal: () => {} }
    },
  },
  {
    name: 'disk of the database full',
    lacks: ({ database }) => (database.isBounded ? undefined : 'a volume of bounded size needs root'),
    strike({ rig: { database, hubs } }) {
      const isSaid = said(hubs, '53100')
      const full = database.fillDisk()
      const wasFelt = () => isSaid() || full.hasEnded()
      const at = instant()
      const heal = async () => {
        // It may take a while until a table or the log needs a new block.
        for (let waited = 0; waited < 5_000 && !wasFelt(); waited += 100) await sleep(100)
        await full.makeRoom()
      }
      return { at, holdMs: 500, heal, wasFelt }
    },
  },
  {
    // As a server is that was made a standby, or that an operator protects.
    name: 'database read-only',
    async strike({ rig: { database, hubs }, random }) {
      const wasFelt = said(hubs, '25006')
      const heal = await database.forbidWriting()
      return { at: instant(), holdMs: random.pick(holds), heal, wasFelt }
    },
  },
  {
    // The limit is lowered instead of a hundred sessions being opened: the hub is told the same, and the machine has
    // nothing to do for it.
    name: 'no connection to the database left',
    async strike({ rig: { database, hubs }, random }) {
      const wasFelt = said(hubs, '53300')
      const heal = await database.forbidConnecting()
      await endSessions(database)
      return { at: instant(), holdMs: random.pick(holds), heal, wasFelt }
    },
  },
]

// Shorter than a lease, about one, and longer.
const holds = [400, 1_500, leaseMs + 1_200]

/** Answers whether the database has said this to a hub since. */
function said(hubs: readonly HubSlot[], code: string): () => boolean {
  const times = () => hubs.reduce((sum, hub) => sum + hub.watch.errors(code), 0)
  const before = times()
  return () => times() > before
}

/** Those of all hubs; answers how many there were. */
async function endSessions(database: Database): Promise<number> {
  const reader = await database.reader()
  const { rowCount } = await reader.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where usename in ('muster_app', 'muster_system')`,
  )
  await reader.end()
  return rowCount ?? 0
}
