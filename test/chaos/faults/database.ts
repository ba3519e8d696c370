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
      await reader.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where usename in ('muster_app', 'muster_system')`,
      )
      await reader.end()
      return { at, holdMs: 0, heal: () => {} }
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
]
