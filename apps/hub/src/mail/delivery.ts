import type { Agents } from '../agents/agents.ts'
import type { Connection } from '../agents/connections.ts'
import type { Db } from '../kernel/db.ts'
import { presenceNews, type Told } from './presence-news.ts'

/** What this hub has told the agents of a workspace that are connected to it. */
type Room = { told: Told }

export type Delivery = ReturnType<typeof createDelivery>

/**
 * Pushes to the agents connected to this hub what any hub has written since. Level-triggered: each round compares what
 * the database says with what was pushed over these very connections, so a lost hint costs a second and a hub that is
 * killed costs nothing but the connections themselves.
 */
export function createDelivery({ db, agents }: { db: Db; agents: Agents }) {
  const rooms = new Map<string, Room>()

  /** From here on whatever changes in the workspace is pushed; asked before a first answer, so that none falls between. */
  const watch = async (workspaceId: string): Promise<void> => {
    if (rooms.has(workspaceId)) return
    const present = await db.asSystem((tx) => agents.present(tx, [workspaceId]))
    if (!rooms.has(workspaceId)) rooms.set(workspaceId, { told: byId(present) })
  }

  const round = async (): Promise<void> => {
    const here = Map.groupBy(agents.connections.all(), (connection) => connection.workspaceId)
    for (const workspaceId of rooms.keys()) if (!here.has(workspaceId)) rooms.delete(workspaceId)
    for (const workspaceId of here.keys()) await watch(workspaceId)
    if (here.size === 0) return
    const present = await db.asSystem((tx) => agents.present(tx, [...here.keys()]))
    const now = Map.groupBy(present, (agent) => agent.workspaceId)
    for (const [workspaceId, connections] of here) {
      const room = rooms.get(workspaceId)
      if (room !== undefined) tellPresence(room, connections, byId(now.get(workspaceId) ?? []))
    }
  }
  return { watch, round }
}

function tellPresence(room: Room, connections: Connection[], now: Told): void {
  for (const { about, push } of presenceNews(room.told, now)) {
    for (const connection of connections) if (connection.workerId !== about) connection.send(push)
  }
  room.told = now
}

function byId<T extends { id: string }>(rows: T[]): Map<string, T> {
  return new Map(rows.map((row) => [row.id, row]))
}
