import type { WorkerMessage } from '@muster/contract/wire'
import type { WallStatus, Worker } from '@muster/contract/workers'
import type { Identity } from '../identity/identity.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { codeOf, MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { newId } from '../kernel/ids.ts'
import { createConnections, type Connection } from './connections.ts'
import * as store from './store.ts'

export type Agents = ReturnType<typeof createAgents>
export type Hello = Extract<WorkerMessage, { type: 'hello' }>

/** What a worker offers right now. */
export type Offer = {
  workspaceId: string
  workerId: string
  name: string
  slots: number
  walls: WallStatus[]
}

/** Workers: their records, who is present, and the sockets this hub holds. Knows nothing of tasks. */
export function createAgents(deps: {
  db: Db
  identity: Identity
  events: Events
  hints: Hints
  hubId: string
}) {
  const { db, events, hints, hubId } = deps
  const connections = createConnections()

  return {
    connections,

    /** Makes a worker together with the one token that may speak for it. */
    async addWorker(tx: Tx, actor: Actor, input: { name: string; expiresInDays?: number | undefined }) {
      const id = newId()
      try {
        await store.insert(tx, { workspaceId: actor.workspaceId, id, name: input.name })
      } catch (error) {
        if (codeOf(error) !== '23505') throw error
        throw new MusterError('worker_name_taken', `A worker called ${input.name} exists already.`)
      }
      return deps.identity.issueToken(tx, actor, { ...input, workerId: id })
    },

    /** The worker of this name, made if it is not there; for the one that runs beside the hub. */
    async ensureWorker(workspaceId: string, name: string): Promise<string> {
      return db.inWorkspace(workspaceId, async (tx) => {
        const id = newId()
        await tx.query(
          'insert into workers (workspace_id, id, name) values ($1, $2, $3) on conflict do nothing',
          [workspaceId, id, name],
        )
        const [row] = await tx.query<{ id: string }>('select id from workers where name = $1', [name])
        return row?.id ?? id
      })
    },

    /** `busy` counts, by worker, what the database says they hold. */
    async list(tx: Tx, busy: Map<string, number>): Promise<Worker[]> {
      return (await store.list(tx)).map((row) => store.toWorker(row, busy.get(row.id) ?? 0))
    },

    offers(): Offer[] {
      return connections.all().map(({ workspaceId, workerId, name, slots, walls }) => ({
        workspaceId,
        workerId,
        name,
        slots,
        walls,
      }))
    },

    send(workerId: string, message: Parameters<Connection['send']>[0]): boolean {
      const connection = connections.get(workerId)
      connection?.send(message)
      return connection !== undefined
    },

    /**
     * A worker says hello. The same instance may come back at any time and replaces its older socket; another
     * instance is refused while the first is alive, so that a copied token cannot take a worker's place.
     */
    async connect(actor: Actor, hello: Hello, connection: Connection): Promise<void> {
      await db.inWorkspace(actor.workspaceId, async (tx) => {
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
          data: { workerId: row.id, host: hello.host },
        })
      })
      connections.get(connection.workerId)?.close(4000, 'replaced by a newer connection')
      connections.add(connection)
      hints.send('queue')
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
    },

    /** Level-triggered presence: says for every socket of this hub that its worker is here. */
    async refreshPresence(): Promise<void> {
      const ids = connections.all().map((connection) => connection.workerId)
      if (ids.length > 0) await db.asSystem((tx) => tx.query(store.seen, [ids, hubId]))
    },
  }
}
