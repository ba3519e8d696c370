import type { Db } from '../kernel/db.ts'
import type { Connection, Connections } from './connections.ts'
import * as store from './store.ts'

/** One ping may be under way. From the second on it is offered no task; at the third its socket is dropped. */
export function isAnswering({ unanswered }: Connection): boolean {
  return unanswered < 2
}

export function createRefresh(deps: { db: Db; hubId: string; connections: Connections }) {
  const { db, hubId, connections } = deps
  return {
    /**
     * Level-triggered presence: says for every socket of this hub that its worker is here. A socket alone does not say
     * so: that of a frozen worker, or of one behind a dead network, stays open, has the most free slots, and would be
     * given task after task until each had been lost too often.
     */
    async refreshPresence(): Promise<void> {
      for (const connection of connections.all()) {
        if (!isAnswering(connection)) connection.terminate()
        connection.unanswered += 1
        connection.ping()
      }
      const held = connections.all()
      if (held.length === 0) return
      const ids = held.map((connection) => connection.workerId)
      const rows = await db.asSystem((tx) => tx.query<{ id: string }>(store.seen, [ids, hubId]))
      const ours = new Set(rows.map((row) => row.id))
      // Evicted while the database was away, or here through another hub by now: its next hello puts that right.
      for (const each of held) if (!ours.has(each.workerId)) each.terminate()
    },
  }
}
