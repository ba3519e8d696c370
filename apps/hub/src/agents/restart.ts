import { setTimeout as sleep } from 'node:timers/promises'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import type { Connections } from './connections.ts'
import * as store from './store.ts'

/** An order is answered within this time (SIDE-08), or it is void. */
const answerWithinMs = 10_000

type OpenOrder = { id: string; order: { force: boolean; by: string }; at: string }

/**
 * Ordering a worker to restart itself. The order is in its row and not in a message, because the hub that was asked
 * need not be the one that holds the socket: each hub looks every second, and at a hint, for orders to its own workers.
 * The worker's announcement takes the order away. A hub that dies in between leaves an order that is void after 10 s.
 */
export function createRestarts(deps: { db: Db; events: Events; hints: Hints; connections: Connections }) {
  const { db, events, hints, connections } = deps
  return {
    async orderRestart(tx: Tx, actor: Actor, ref: string, { force }: { force: boolean }) {
      const row = await find(tx, ref)
      if (!row.fresh) throw new MusterError('worker_not_connected', `${row.name} is not connected.`)
      if (row.supervisor === null || row.supervisor.kind === 'none') {
        throw new MusterError('worker_not_supervised', `Nobody would start ${row.name} again.`)
      }
      await store.orderRestart(tx, row.id, { force, by: actor.label })
      const data = { workerId: row.id, worker: row.name, force }
      await events.publish(tx, actor, { kind: 'worker.restart_ordered', data })
      tx.afterCommit(() => hints.send('workers'))
      return row
    },

    /** Passes on what is ordered of the workers connected here; one that hears it twice answers twice. */
    async deliverOrders(): Promise<void> {
      const ids = connections.all().map((connection) => connection.workerId)
      if (ids.length === 0) return
      const open = await db.asSystem((tx) => tx.query<OpenOrder>(store.openOrders, [ids]))
      for (const { id, order, at } of open) {
        const connection = connections.get(id)
        if (connection === undefined || connection.orderedAt === at) continue
        connection.orderedAt = at
        connection.send({ type: 'restart', ...order })
      }
    },

    /** Answers what `read` finds when the worker has announced that it restarts. */
    async untilAnnounced<T>(actor: Actor, id: string, read: (tx: Tx) => Promise<T>): Promise<T> {
      const deadline = performance.now() + answerWithinMs
      const look = <V>(work: (tx: Tx) => Promise<V>) => db.inWorkspace(actor.workspaceId, work)
      while (await look((tx) => store.isOrderOpen(tx, id))) {
        if (performance.now() > deadline) {
          await look((tx) => store.voidOrder(tx, id))
          throw new MusterError(
            'worker_not_answering',
            'The worker did not announce its restart within 10 s.',
          )
        }
        await sleep(100)
      }
      return look(read)
    },

    find,
  }
}

async function find(tx: Tx, ref: string): Promise<store.WorkerRow> {
  const row = await store.find(tx, ref)
  if (row === undefined) throw new MusterError('not_found', `No worker is called ${ref}.`)
  return row
}
