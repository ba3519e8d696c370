import { channelsPerWorkspace, type Channel } from '@muster/contract/messages'
import type { Agents } from '../agents/agents.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { newId } from '../kernel/ids.ts'
import * as channels from './channel-store.ts'
import { lockHead } from './store.ts'

export type Channels = ReturnType<typeof createChannels>

/** Channels are open to every agent of the workspace; to be subscribed is to be told, and no right. */
export function createChannels({ agents, events, hints }: { agents: Agents; events: Events; hints: Hints }) {
  /** Under the lock of the head, so that two who make it at once make one, and nobody passes the limit. */
  const ensure = async (tx: Tx, actor: Actor, name: string): Promise<channels.ChannelRow> => {
    await lockHead(tx, actor.workspaceId)
    const there = await channels.find(tx, name)
    if (there !== undefined) return there
    if ((await channels.count(tx)) >= channelsPerWorkspace) {
      throw new MusterError('too_many_channels', `There are ${channelsPerWorkspace} channels already.`)
    }
    const id = newId()
    await channels.insert(tx, { workspaceId: actor.workspaceId, id, name })
    await events.publish(tx, actor, { kind: 'channel.created', data: { channelId: id, name } })
    return channels.channelOf(tx, name)
  }

  const changed = async (tx: Tx, actor: Actor, kind: 'channel.joined' | 'channel.left', data: object) => {
    await channels.membersChanged(tx)
    await events.publish(tx, actor, { kind, data: { ...data } })
    tx.afterCommit(() => hints.send('mail'))
  }

  return {
    ensure,

    async subscribe(tx: Tx, actor: Actor, workerId: string, name: string) {
      const { id, last } = await ensure(tx, actor, name)
      if (await channels.join(tx, actor.workspaceId, id, workerId)) {
        await changed(tx, actor, 'channel.joined', { channelId: id, workerId })
      }
      const inside = new Set((await membersOf(tx)).get(id))
      const present = await agents.present(tx, [actor.workspaceId])
      return {
        name,
        last: Number(last),
        agents: present
          .filter((agent) => inside.has(agent.id))
          .map((agent) => ({ name: agent.name, status: agent.status, online: agent.online })),
      }
    },

    async unsubscribe(tx: Tx, actor: Actor, workerId: string, name: string): Promise<void> {
      await lockHead(tx, actor.workspaceId)
      const { id } = await channels.channelOf(tx, name)
      if (await channels.leave(tx, id, workerId)) {
        await changed(tx, actor, 'channel.left', { channelId: id, workerId })
      }
    },

    async history(tx: Tx, name: string, query: { after?: number | undefined; limit: number }) {
      const { id, last } = await channels.channelOf(tx, name)
      return { items: await channels.history(tx, id, query), last: Number(last) }
    },

    async get(tx: Tx, actor: Actor, name: string): Promise<Channel> {
      const found = (await this.list(tx, actor)).find((channel) => channel.name === name)
      if (found === undefined) throw new MusterError('not_found', `No channel is called ${name}.`)
      return found
    },

    async list(tx: Tx, actor: Actor): Promise<(Channel & { subscribed: boolean })[]> {
      const inside = await membersOf(tx)
      const present = await agents.present(tx, [actor.workspaceId])
      const online = new Set(present.filter((agent) => agent.online).map((agent) => agent.id))
      return (await channels.list(tx)).map(({ id, name, last, created_at }) => {
        const subscribers = inside.get(id) ?? []
        return {
          name,
          last: Number(last),
          subscribers: subscribers.length,
          online: subscribers.filter((workerId) => online.has(workerId)).length,
          subscribed: actor.id !== null && subscribers.includes(actor.id),
          createdAt: created_at.toISOString(),
        }
      })
    },
  }
}

async function membersOf(tx: Tx): Promise<Map<string, string[]>> {
  const byChannel = Map.groupBy(await channels.members(tx), (member) => member.channel_id)
  return new Map([...byChannel].map(([id, members]) => [id, members.map((member) => member.worker_id)]))
}
