import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import * as store from './store.ts'

const lockAssignment = {
  name: 'workers_lock_assignment',
  text: `select pg_advisory_xact_lock(hashtextextended('muster assignment ' || $1, 0))`,
}

/** Keeping a worker from new tasks. It is in the database, so every hub keeps to it. */
export function createCordon({ events, hints }: { events: Events; hints: Hints }) {
  const idOf = async (tx: Tx, name: string) => {
    const row = await store.byName(tx, name)
    if (row === undefined) throw new MusterError('not_found', `No worker is called ${name}.`)
    return row.id
  }
  return {
    /**
     * One after the other in a workspace, on all hubs: rounds that give tasks to workers, and whoever keeps workers from
     * tasks. Taken before either looks or writes: a round that had looked already would give a stopped worker a task
     * after the stop.
     */
    async lockAssignment(tx: Tx, workspaceId: string): Promise<void> {
      await tx.query(lockAssignment, [workspaceId])
    },

    /** No new task for this worker until it is uncordoned; what it holds it keeps. */
    async cordon(tx: Tx, actor: Actor, name: string, why: string): Promise<string> {
      await tx.query(lockAssignment, [actor.workspaceId])
      const workerId = await idOf(tx, name)
      await store.setCordoned(tx, workerId, why)
      await events.publish(tx, actor, { kind: 'worker.cordoned', data: { workerId, why } })
      return workerId
    },

    async uncordon(tx: Tx, actor: Actor, name: string): Promise<void> {
      const workerId = await idOf(tx, name)
      await store.setCordoned(tx, workerId, null)
      await events.publish(tx, actor, { kind: 'worker.uncordoned', data: { workerId } })
      tx.afterCommit(() => hints.send('queue'))
    },

    /** It let an assignment pass unaccepted (AFSM-03). */
    async flag(tx: Tx, actor: Actor, workerId: string): Promise<void> {
      await store.flag(tx, actor.workspaceId, workerId)
      await events.publish(tx, actor, { kind: 'worker.flagged', data: { workerId } })
    },
  }
}
