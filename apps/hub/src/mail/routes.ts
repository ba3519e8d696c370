import type { Agents } from '../agents/agents.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Handlers } from '../kernel/handler.ts'
import { mustSee } from './address.ts'
import { channelOf } from './channel-store.ts'
import type { Mail } from './mail.ts'
import * as store from './store.ts'

type Names = 'sendMessage' | 'listMessages' | 'listChannels' | 'createChannel'

/** For people. They see all that is said in their workspace. */
export function mailRoutes({ mail, agents }: { mail: Mail; agents: Agents }): Handlers<Names> {
  const { post, channels } = mail
  const agentOf = async (tx: Tx, name: string) => {
    const id = await agents.idOf(tx, name)
    if (id === undefined) throw new MusterError('not_found', `No agent is called ${name}.`)
    return id
  }
  return {
    sendMessage: ({ actor, body, inTransaction }) => inTransaction((tx) => post(tx, actor, body)),
    listMessages: ({ actor, query, inTransaction }) =>
      inTransaction(async (tx) => {
        const { to, channel, thread, after, limit } = query
        const rows = await store.list(tx, {
          to: to === undefined ? null : await agentOf(tx, to),
          channelId: channel === undefined ? null : (await channelOf(tx, channel)).id,
          root: thread === undefined ? null : (await mustSee(tx, actor, thread)).root,
          after,
          limit,
        })
        // Of the newest there is nothing after them yet.
        const isMore = after !== undefined && rows.length === limit
        return { items: rows.map(store.toMessage), nextCursor: isMore ? (rows.at(-1)?.seq ?? null) : null }
      }),
    listChannels: ({ actor, inTransaction }) =>
      inTransaction(async (tx) => ({ items: await channels.list(tx, actor), nextCursor: null })),
    createChannel: ({ actor, body, inTransaction }) =>
      inTransaction(async (tx) => {
        await channels.ensure(tx, actor, body.name)
        return channels.get(tx, actor, body.name)
      }),
  }
}
