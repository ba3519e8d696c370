import { setTimeout as sleep } from 'node:timers/promises'
import { instant } from '../clock.ts'
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
      const reader = await database.reader()
      const at = instant()
      const { rowCount } = await reader.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where usename in ('muster_app', 'muster_system')`,
      )
      await reader.end()
      return { at, holdMs: 0, heal: () => {}, wasFelt: () => (rowCount ?? 0) > 0 }
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
      const errors = () => hubs.reduce((sum, hub) => sum + hub.watch.noSpaceErrors(), 0)
      const before = errors()
      const full = database.fillDisk()
      const wasFelt = () => errors() > before || full.hasEnded()
      const at = instant()
      const heal = async () => {
        // It may take a while until a table or the log needs a new block.
        for (let waited = 0; waited < 5_000 && !wasFelt(); waited += 100) await sleep(100)
        await full.makeRoom()
      }
      return { at, holdMs: 500, heal, wasFelt }
    },
  },
]
