import type { Party } from '@muster/contract/messages'
import type { Agents } from '../agents/agents.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import { channelOf } from './channel-store.ts'
import * as store from './store.ts'

type Somebody = Party & { id: string }

/** Whom a message is for: one, those in a channel, or, when neither is named, all. */
export type Address = {
  to: Somebody | null
  channel: { id: string; name: string } | null
  /** The workers whose mailboxes get it. A person has none and reads the history. */
  mailboxes: string[]
  replyTo: string | null
  root: string | null
}

/** `to` null: all; neither `to` nor `channel`: whoever wrote the message that is answered. */
export type Wanted = {
  to?: string | null | undefined
  channel?: string | undefined
  replyTo?: string | undefined
}

/** Who reads: a worker sees what concerns it, a person everything of the workspace. */
export function readerOf(actor: Actor): string | null {
  return actor.kind === 'worker' ? actor.id : null
}

/** Finds out whom words are for. Of a message that one may not see, one cannot say that it exists by answering it. */
export async function addressOf(
  tx: Tx,
  { agents, keepDays }: { agents: Agents; keepDays: number },
  actor: Actor,
  wanted: Wanted,
): Promise<Address> {
  const replied = wanted.replyTo === undefined ? undefined : await mustSee(tx, actor, wanted.replyTo)
  const place = await placeOf(tx, agents, actor, wanted, replied)
  const { to, channel } = place
  const thread = { replyTo: replied?.id ?? null, root: replied?.root ?? null }
  if (to === null && channel === null) {
    const all = await agents.reachable(tx, keepDays)
    return { ...place, mailboxes: all.filter((id) => id !== actor.id), ...thread }
  }
  return { ...place, mailboxes: to?.kind === 'worker' ? [to.id] : [], ...thread }
}

export async function mustSee(tx: Tx, actor: Actor, id: string): Promise<store.MessageRow> {
  const row = await store.byId(tx, readerOf(actor), id)
  if (row === undefined) throw new MusterError('not_found', `No message ${id} is kept here.`)
  return row
}

async function placeOf(
  tx: Tx,
  agents: Agents,
  actor: Actor,
  { to, channel }: Wanted,
  replied: store.MessageRow | undefined,
): Promise<Pick<Address, 'to' | 'channel'>> {
  if (channel !== undefined) return { to: null, channel: await channelOf(tx, channel) }
  if (to === null) return { to: null, channel: null }
  if (to !== undefined) {
    const id = await agents.idOf(tx, to)
    if (id === undefined) throw new MusterError('not_found', `No agent is called ${to}.`)
    return { to: { kind: 'worker', id, name: to }, channel: null }
  }
  if (replied === undefined) {
    throw new MusterError('invalid_request', 'to: is needed where no message is answered')
  }
  if (replied.from_id !== actor.id) {
    return { to: { kind: replied.from_kind, id: replied.from_id, name: replied.from_name }, channel: null }
  }
  return samePlace(replied)
}

/** Whoever answers itself goes on speaking to the same. */
function samePlace(row: store.MessageRow): Pick<Address, 'to' | 'channel'> {
  const { to_kind: kind, to_id: id, to_name: name, channel_id: channelId, channel } = row
  return {
    to: kind === null || id === null || name === null ? null : { kind, id, name },
    channel: channelId === null || channel === null ? null : { id: channelId, name: channel },
  }
}
