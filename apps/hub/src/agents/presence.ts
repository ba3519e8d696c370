import type { WorkerMessage } from '@muster/contract/wire'
import type { WallStatus } from '@muster/contract/workers'
import { closing } from '@muster/contract/wire-closing'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { publishBlocked } from './condition.ts'
import type { Connection, Connections } from './connections.ts'
import type { Settle } from './settle.ts'
import * as store from './store.ts'
import { createTurns } from './turns.ts'

export type Hello = Extract<WorkerMessage, { type: 'hello' }>

/** Who is here. A connection is this hub's; that the worker is present is in the database, for every hub to see. */
export function createPresence(deps: {
  db: Db
  events: Events
  hints: Hints
  hubId: string
  connections: Connections
  settle: Settle
}) {
  const { db, events, hints, hubId, connections, settle } = deps
  const inTurn = createTurns()
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
      const answer = await inTurn(connection.workerId, async () => {
        const admitted = await db.inWorkspace(actor.workspaceId, async (tx) => {
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
          const decided = await decide(tx)
          await settle(tx, actor, row.id, 'It connected.')
          return decided
        })
        connections.get(connection.workerId)?.close(closing.replaced.code, 'replaced by a newer connection')
        connections.add(connection)
        return admitted
      })
      hints.send('queue')
      hints.send('mail')
      return answer
    },

    async setWalls(actor: Actor, connection: Connection, walls: WallStatus[]): Promise<void> {
      connection.walls = walls
      await db.inWorkspace(actor.workspaceId, async (tx) => {
        await store.setWalls(tx, connection.workerId, walls)
        await events.publish(tx, actor, {
          kind: 'worker.walls_changed',
          data: { workerId: connection.workerId, walls },
        })
        await settle(tx, actor, connection.workerId, 'What its walls can do changed.')
      })
      hints.send('queue')
    },

    async disconnect(actor: Actor, connection: Connection): Promise<void> {
      if (!connections.remove(connection)) return
      const { workerId } = connection
      await inTurn(workerId, async () => {
        // It has come back here meanwhile. Its row says only which hub holds it, and that is still this one.
        if (connections.get(workerId) !== undefined) return
        await db.inWorkspace(actor.workspaceId, async (tx) => {
          if (await store.disconnect(tx, connection.workerId, hubId)) {
            await events.publish(tx, actor, {
              kind: 'worker.disconnected',
              data: { workerId: connection.workerId },
            })
            await settle(tx, actor, connection.workerId, 'Its connection ended.')
          }
        })
      })
      hints.send('mail')
    },
  }
}
