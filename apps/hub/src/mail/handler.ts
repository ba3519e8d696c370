import type { MailAnswer, MailMessage } from '@muster/contract/wire-mail'
import type { Agents } from '../agents/agents.ts'
import type { MailHandler } from '../agents/socket.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import type { Channels } from './channels.ts'
import type { Delivery } from './delivery.ts'
import { acknowledge, readMailbox } from './mailbox.ts'
import type { Post } from './post.ts'
import { readThread } from './thread.ts'

/** What the messages with which agents speak to each other do. One transaction each. */
export function createHandler(deps: {
  db: Db
  agents: Agents
  delivery: Delivery
  channels: Channels
  post: Post
}): MailHandler {
  const { db, agents, delivery, channels, post } = deps
  const act = async (tx: Tx, actor: Actor, workerId: string, message: MailMessage): Promise<MailAnswer> => {
    switch (message.type) {
      case 'message':
      case 'channel_publish':
        return { posted: await post(tx, actor, message) }
      case 'mail_read':
        return { mail: await readMailbox(tx, workerId, message) }
      case 'mail_ack':
        await acknowledge(tx, workerId, message.cursor)
        return {}
      case 'thread':
        return { thread: await readThread(tx, actor, message) }
      case 'channel_subscribe':
        return { channel: await channels.subscribe(tx, actor, workerId, message.channel) }
      case 'channel_unsubscribe':
        await channels.unsubscribe(tx, actor, workerId, message.channel)
        return {}
      case 'channel_history':
        return { history: await channels.history(tx, message.channel, message) }
      case 'list_channels':
        return { channels: await channels.list(tx, actor) }
      case 'status':
        await agents.setStatus(tx, actor, workerId, message.text)
        return {}
      case 'list_agents':
        return { agents: await agents.roll(tx) }
    }
  }
  return {
    async handle(actor, { workerId }, message) {
      await delivery.watch(actor.workspaceId)
      return db.inWorkspace(actor.workspaceId, (tx) => act(tx, actor, workerId, message))
    },
  }
}
