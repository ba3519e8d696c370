import type { WorkerMessage } from '@muster/contract/wire'
import type { WallStatus } from '@muster/contract/workers'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { publishBlocked } from './condition.ts'
import type { Connection, Connections } from './connections.ts'
import * as store from './store.ts'

export type Hello = Extract<WorkerMessage, { type: 'hello' }>

/** One ping may be under way. From the second on it is offered no task; at the third its socket is dropped. */
export function isAnswering({ unanswered }: Connection): boolean {
  return unanswered < 2
}

/** Who is here. A connection is this hub's; that the worker is present is in the database, for every hub to see. */
export function createPresence(deps: {
  db: Db
  events: Events
  hints: Hints
  hubId: string
  connections: Connections
}) {
  const { db, events, hints, hubId, connections } = deps
  return {
    /**
     * A worker says hello. The same instance may come back at any time and replaces its older socket; another
     * instance is refused while the first is alive, so that a copied token cannot take a worker's place. `decide` runs
     * in the same transaction and only for a worker that is let in: what it says it lost is given back there.
     */
    async connect<T>(
      actor: Actor,
      hello: Hello,
      connection: Connection,
      decide: (tx: Tx) => Promise<T>,
    ): Promise<T> {
      const decided = await db.inWorkspace(actor.workspaceId, async (tx) => {
        const row = await store.lock(tx, connection.workerId)
        if (row === undefined) throw new MusterError('not_found', 'This worker is not registered any more.')
        if (row.fresh && row.instance !== null && row.instance !== hello.instance) {
          throw new MusterError(
            'worker_already_connected',
            `${row.name} is connected from ${row.host ?? 'elsewhere'}.`,
          )
        }
        await store.connect(tx, { ...hello, id: row.id, hubId })
        await events.publish(tx, actor, {
          kind: 'worker.connected',
          data: { workerId: row.id, host: hello.host ?? null, client: hello.client ?? null },
        })
        const now = hello.blocked ?? null
        await publishBlocked(events, tx, actor, { connection, before: row.blocked, now })
        return decide(tx)
      })
      connections.get(connection.workerId)?.close(4000, 'replaced by a newer connection')
      connections.add(connection)
      hints.send('queue')
      hints.send('mail')
      return decided
    },

    async setWalls(actor: Actor, connection: Connection, walls: WallStatus[]): Promise<void> {
      connection.walls = walls
      await db.inWorkspace(actor.workspaceId, async (tx) => {
        await store.setWalls(tx, connection.workerId, walls)
        await events.publish(tx, actor, {
          kind: 'worker.walls_changed',
          data: { workerId: connection.workerId, walls },
        })
      })
      hints.send('queue')
    },

    async disconnect(actor: Actor, connection: Connection): Promise<void> {
      if (!connections.remove(connection)) return
      await db.inWorkspace(actor.workspaceId, async (tx) => {
        if (await store.disconnect(tx, connection.workerId, hubId)) {
          await events.publish(tx, actor, {
            kind: 'worker.disconnected',
            data: { workerId: connection.workerId },
          })
        }
      })
      hints.send('mail')
    },

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
      const ids = connections.all().map((connection) => connection.workerId)
      if (ids.length > 0) await db.asSystem((tx) => tx.query(store.seen, [ids, hubId]))
    },
  }
}
