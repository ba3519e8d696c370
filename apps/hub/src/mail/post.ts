import { channelSize, historySize, mailboxSize, messagesPerMinute } from '@muster/contract/messages'
import type { Agents } from '../agents/agents.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { newId } from '../kernel/ids.ts'
import { addressOf, type Address, type Wanted } from './address.ts'
import { advance } from './channel-store.ts'
import { deliver } from './sql/deliver.ts'
import { trim } from './sql/trim.ts'
import * as store from './store.ts'

export type Words = Wanted & {
  text: string
  data?: Record<string, unknown> | undefined
  key?: string | undefined
}
export type Post = ReturnType<typeof createPost>

/**
 * Posts one message: stored, in the mailboxes and told as an event in one transaction. Under the lock of the workspace's
 * head, so that the limit of a sender holds over all its connections and hubs, and positions are committed in order.
 */
export function createPost(deps: { agents: Agents; events: Events; hints: Hints; keepDays: number }) {
  const { events, hints } = deps
  return async (tx: Tx, actor: Actor, words: Words) => {
    const { workspaceId, id: senderId, kind } = actor
    if (senderId === null || kind === 'system') throw new Error('only agents and people post')
    const address = await addressOf(tx, deps, actor, words)
    const head = await store.lockHead(tx, workspaceId)
    const repeated = words.key === undefined ? undefined : await store.byKey(tx, senderId, words.key)
    const { sent, seconds } = await store.lately(tx, senderId)
    if (repeated !== undefined) return sameAs(repeated, words.text, messagesPerMinute - sent)
    if (sent >= messagesPerMinute) {
      throw new MusterError(
        'too_many_messages',
        `${messagesPerMinute} messages were posted within a minute; the next is taken in ${seconds} s.`,
      )
    }
    const seq = Number(head.last_seq) + 1
    const id = newId()
    const row = rowOf({ ...actor, kind, id: senderId }, words, address, id)
    const { to, channel, replyTo } = address
    const { place, gone } =
      channel === null ? { place: null, gone: 0 } : await advance(tx, channel.id, channelSize)
    const own = { workspace_id: workspaceId, seq, place, key: words.key ?? null }
    const at = await store.insert(tx, { ...row, ...own })
    if (address.mailboxes.length > 0) {
      await tx.query(deliver, [workspaceId, address.mailboxes, seq, mailboxSize])
    }
    const kept = head.kept + 1 - gone
    if (kept > historySize) await tx.query(trim, [workspaceId, kept - historySize])
    await store.setHead(tx, seq, Math.min(kept, historySize))
    await events.publish(tx, actor, {
      kind: 'message.posted',
      data: { messageId: id, root: row.root, to: to?.id ?? null, channelId: channel?.id ?? null, replyTo },
    })
    tx.afterCommit(() => hints.send('mail'))
    return { id, seq, at: at.toISOString(), left: messagesPerMinute - sent - 1 }
  }
}

function rowOf(
  sender: { kind: 'worker' | 'person'; id: string; label: string },
  words: Words,
  { to, channel, replyTo, root }: Address,
  id: string,
) {
  return {
    id,
    from_kind: sender.kind,
    from_id: sender.id,
    from_name: sender.label,
    to_kind: to?.kind ?? null,
    to_id: to?.id ?? null,
    to_name: to?.name ?? null,
    channel_id: channel?.id ?? null,
    channel: channel?.name ?? null,
    reply_to: replyTo,
    root: root ?? id,
    text: words.text,
    data: words.data === undefined ? null : JSON.stringify(words.data),
  }
}

function sameAs(row: store.MessageRow, text: string, left: number) {
  if (row.text !== text) {
    throw new MusterError('idempotency_mismatch', 'This key was used for a message with another text.')
  }
  return { id: row.id, seq: Number(row.seq), at: row.at.toISOString(), left }
}
