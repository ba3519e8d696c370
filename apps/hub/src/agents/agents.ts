import type { WallStatus, Worker } from '@muster/contract/workers'
import type { Identity } from '../identity/identity.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { codeOf, MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { newId } from '../kernel/ids.ts'
import { createConnections, type Connection } from './connections.ts'
import { createCondition } from './condition.ts'
import { createPresence, isAnswering } from './presence.ts'
import { createRestarts } from './restart.ts'
import { createRoll } from './roll.ts'
import * as store from './store.ts'

export type Agents = ReturnType<typeof createAgents>

/** What a worker offers right now. */
export type Offer = {
  workspaceId: string
  workerId: string
  name: string
  slots: number
  capabilities: string[]
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
  const { db } = deps
  const connections = createConnections()
  const restarts = createRestarts({ ...deps, connections })

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

    /** By name or id. */
    async get(tx: Tx, ref: string, busy: Map<string, number>): Promise<Worker> {
      const row = await restarts.find(tx, ref)
      return store.toWorker(row, busy.get(row.id) ?? 0)
    },

    offers(): Offer[] {
      return connections
        .all()
        .filter((each) => isAnswering(each) && !each.blocked && !each.restarting)
        .map(({ workspaceId, workerId, name, slots, capabilities, walls }) => ({
          workspaceId,
          workerId,
          name,
          slots,
          capabilities,
          walls,
        }))
    },

    send(workerId: string, message: Parameters<Connection['send']>[0]): boolean {
      const connection = connections.get(workerId)
      connection?.send(message)
      return connection !== undefined
    },

    ...createPresence({ ...deps, connections }),
    ...createCondition(deps),
    ...restarts,
    ...createRoll(deps),
  }
}
