import type { Present } from '../agents/roll.ts'
import type { Connection } from '../agents/connections.ts'
import type { Db } from '../kernel/db.ts'
import * as channels from './channel-store.ts'
import { memberNews, membersByChannel } from './member-news.ts'
import { presenceNews, type Told } from './presence-news.ts'

/** The row of a workspace that every post and every subscription locks and changes; one look at it is consistent. */
export type Head = { seq: number; version: number }
export type Seen = { present: Map<string, Present[]>; heads: Map<string, Head> }
export type Room = Awaited<ReturnType<typeof createRoom>>

const batch = 100
// A socket with more waiting misses what is published; the gap before the next cursor says so, and the history has it.
const maxWaitingBytes = 1024 * 1024

/** What this hub has told the agents of one workspace that are connected to it: who is there, who is where, what was said. */
export async function createRoom(db: Db, workspaceId: string, from: Seen) {
  let told = presentIn(from)
  let head = headIn(from)
  // Read after the head, so they are of its version or newer; newer ones are read once more and are no news.
  let members = await readMembers()

  function readMembers() {
    return db.inWorkspace(workspaceId, async (tx) => membersByChannel(await channels.members(tx)))
  }
  function presentIn({ present }: Seen): Told {
    return new Map((present.get(workspaceId) ?? []).map((agent) => [agent.id, agent]))
  }
  function headIn({ heads }: Seen): Head {
    return heads.get(workspaceId) ?? { seq: 0, version: 0 }
  }

  async function tellMembers(connections: Connection[]): Promise<void> {
    const now = await readMembers()
    for (const { channelId, about, push } of memberNews(members, now, (id) => told.get(id)?.name ?? '')) {
      const inside = now.get(channelId)?.workers
      for (const each of connections) {
        if (each.workerId !== about && inside?.has(each.workerId) === true) each.send(push)
      }
    }
    members = now
  }

  async function tellPublished(connections: Connection[], upTo: number): Promise<void> {
    for (let after = head.seq; ;) {
      const query = { after, upTo, limit: batch }
      const found = await db.inWorkspace(workspaceId, (tx) => channels.published(tx, query))
      for (const { channelId, placed, seq } of found) {
        after = seq
        const inside = members.get(channelId)?.workers
        for (const each of connections) {
          if (inside?.has(each.workerId) !== true || each.backlog() > maxWaitingBytes) continue
          each.send({ type: 'channel_message', ...placed })
        }
      }
      if (found.length < batch) return
    }
  }

  return {
    async tell(connections: Connection[], seen: Seen): Promise<void> {
      const now = presentIn(seen)
      for (const { about, push } of presenceNews(told, now)) {
        for (const each of connections) if (each.workerId !== about) each.send(push)
      }
      told = now
      const next = headIn(seen)
      // Members first: whoever subscribed before a message was published is told it.
      if (next.version !== head.version) await tellMembers(connections)
      if (next.seq !== head.seq) await tellPublished(connections, next.seq)
      head = next
    },
  }
}
