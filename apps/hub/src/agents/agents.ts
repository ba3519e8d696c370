import type { Worker } from '@muster/contract/workers'
import type { Identity } from '../identity/identity.ts'
import type { Db, Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { createConnections } from './connections.ts'
import { createCondition } from './condition.ts'
import { createEviction } from './evict.ts'
import { createPresence } from './presence.ts'
import { createReach } from './reach.ts'
import { createRecords } from './records.ts'
import { createRestarts } from './restart.ts'
import { createRoll } from './roll.ts'
import { createSettle, type Holds } from './settle.ts'
import * as store from './store.ts'

export type Agents = ReturnType<typeof createAgents>

/** Workers: their records, who is present, and the sockets this hub holds. Knows nothing of tasks. */
export function createAgents(deps: {
  db: Db
  identity: Identity
  events: Events
  hints: Hints
  hubId: string
  /** From above: what a worker holds is known where tasks are. */
  holds: Holds
}) {
  const connections = createConnections()
  const settle = createSettle(deps)
  const restarts = createRestarts({ ...deps, connections })

  return {
    connections,

    /** `busy` counts, by worker, what the database says they hold. */
    async list(tx: Tx, busy: Map<string, number>): Promise<Worker[]> {
      return (await store.list(tx)).map((row) => store.toWorker(row, busy.get(row.id) ?? 0))
    },

    /** By name or id. */
    async get(tx: Tx, ref: string, busy: Map<string, number>): Promise<Worker> {
      const row = await restarts.find(tx, ref)
      return store.toWorker(row, busy.get(row.id) ?? 0)
    },

    ...createReach({ ...deps, connections }),
    settle,
    ...createRecords(deps),
    ...createPresence({ ...deps, connections, settle }),
    ...createCondition({ ...deps, settle }),
    ...createEviction({ ...deps, settle }),
    ...restarts,
    ...createRoll(deps),
  }
}
