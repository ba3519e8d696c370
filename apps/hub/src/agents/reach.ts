import type { WallStatus } from '@muster/contract/workers'
import type { Db, Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import type { Connection, Connections } from './connections.ts'
import { createCordon } from './cordon.ts'
import { createRefresh, isAnswering } from './refresh.ts'
import * as store from './store.ts'

/** What a worker offers right now. */
export type Offer = {
  workspaceId: string
  workerId: string
  name: string
  slots: number
  walls: WallStatus[]
  capabilities: string[]
}

type Message = Parameters<Connection['send']>[0]

/** The workers that are connected to this hub: what they offer, and telling them something. */
export function createReach(deps: {
  db: Db
  connections: Connections
  hubId: string
  events: Events
  hints: Hints
}) {
  const { connections, hubId } = deps
  const sendTo = (message: Message, fits: (connection: Connection) => boolean): number => {
    const here = connections.all().filter(fits)
    for (const connection of here) connection.send(message)
    return here.length
  }
  return {
    ...createCordon(deps),
    ...createRefresh(deps),

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

    /** To one worker of the workspace, or to all, as far as they are connected here; answers how many. */
    tell(workspaceId: string, workerId: string | null, message: Message): number {
      return sendTo(
        message,
        (each) => each.workspaceId === workspaceId && (workerId === null || each.workerId === workerId),
      )
    },

    /** The same for when nobody can be looked up: the worker by its name or id, as far as it is connected here. */
    tellNamed(workspaceId: string, ref: string, message: Message): number {
      return sendTo(
        message,
        (each) => each.workspaceId === workspaceId && (each.name === ref || each.workerId === ref),
      )
    },

    send(workerId: string, message: Message): boolean {
      const connection = connections.get(workerId)
      connection?.send(message)
      return connection !== undefined
    },

    /** Of the offers of this hub, those that may have tasks now: still connected here and not cordoned. */
    async assignable(tx: Tx, offers: Offer[]): Promise<(Offer & { machine: store.Machine })[]> {
      const machines = await store.assignable(
        tx,
        offers.map((offer) => offer.workerId),
        hubId,
      )
      return offers.flatMap((offer) => {
        const machine = machines.get(offer.workerId)
        return machine === undefined ? [] : [{ ...offer, machine }]
      })
    },
  }
}
