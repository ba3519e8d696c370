import type { Agents } from '../agents/agents.ts'
import type { Connection } from '../agents/connections.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { readMailbox } from './mailbox.ts'
import { createRoom, type Head, type Room } from './delivery-room.ts'

/** How far a mailbox was pushed over one connection: to this message, and all that was there up to this position. */
type Pushed = { position: number; looked: number }

export type Delivery = ReturnType<typeof createDelivery>

// Messages of one read; and above this much waiting in a socket its mailbox has time until the next round.
const batch = 20
const maxWaitingBytes = 1024 * 1024

/**
 * Pushes to the agents connected to this hub what any hub has written since. Level-triggered: each round compares what
 * the database says with what was pushed over these very connections, so a lost hint costs a second and a hub that is
 * killed costs nothing but the connections themselves. A new connection starts behind what was acknowledged.
 */
export function createDelivery({ db, agents }: { db: Db; agents: Agents }) {
  const rooms = new Map<string, Room>()
  const mail = new WeakMap<Connection, Pushed>()

  /** From here on whatever changes in the workspace is pushed; asked before a first answer, so that none falls between. */
  const watch = async (workspaceId: string): Promise<void> => {
    if (rooms.has(workspaceId)) return
    const room = await createRoom(db, workspaceId, await look([workspaceId], []))
    if (!rooms.has(workspaceId)) rooms.set(workspaceId, room)
  }

  const look = (workspaceIds: string[], connections: Connection[]) =>
    db.asSystem(async (tx) => ({
      present: Map.groupBy(await agents.present(tx, workspaceIds), (agent) => agent.workspaceId),
      heads: await headsOf(tx, workspaceIds),
      lasts: await lastPositions(tx, connections),
    }))

  const pushMail = async (connection: Connection, last: number): Promise<void> => {
    const pushed = mail.get(connection) ?? { position: 0, looked: 0 }
    mail.set(connection, pushed)
    while (pushed.looked < last && connection.backlog() < maxWaitingBytes) {
      const { items, dropped } = await db.inWorkspace(connection.workspaceId, (tx) =>
        readMailbox(tx, connection.workerId, { after: pushed.position, limit: batch }),
      )
      for (const [n, item] of items.entries()) {
        connection.send({ type: 'message', ...item, dropped: n === 0 ? dropped : 0 })
        pushed.position = item.cursor
      }
      // A short batch had all up to `last`, or more of it; what was let go meanwhile shows in the next gap.
      if (items.length < batch) pushed.looked = last
    }
  }

  const round = async (): Promise<void> => {
    const here = Map.groupBy(agents.connections.all(), (connection) => connection.workspaceId)
    for (const workspaceId of rooms.keys()) if (!here.has(workspaceId)) rooms.delete(workspaceId)
    if (here.size === 0) return
    for (const workspaceId of here.keys()) await watch(workspaceId)
    const connections = [...here.values()].flat()
    const seen = await look([...here.keys()], connections)
    for (const [workspaceId, room] of rooms) await room.tell(here.get(workspaceId) ?? [], seen)
    for (const connection of connections) {
      await pushMail(connection, seen.lasts.get(connection.workerId) ?? 0)
    }
  }
  return { watch, round }
}

async function headsOf(tx: Tx, workspaceIds: string[]): Promise<Map<string, Head>> {
  const rows = await tx.query<{ workspace_id: string; last_seq: string; members_version: string }>(
    {
      name: 'mail_heads',
      text: 'select workspace_id, last_seq, members_version from mail_heads where workspace_id = any($1)',
    },
    [workspaceIds],
  )
  return new Map(
    rows.map((row) => [
      row.workspace_id,
      { seq: Number(row.last_seq), version: Number(row.members_version) },
    ]),
  )
}

async function lastPositions(tx: Tx, connections: Connection[]): Promise<Map<string, number>> {
  const rows = await tx.query<{ worker_id: string; last: string }>(
    {
      name: 'mailboxes_last',
      text: `select worker_id, last from mailboxes
             where (workspace_id, worker_id) in (select * from unnest($1::uuid[], $2::uuid[])) and last > acked`,
    },
    [connections.map((each) => each.workspaceId), connections.map((each) => each.workerId)],
  )
  return new Map(rows.map((row) => [row.worker_id, Number(row.last)]))
}
