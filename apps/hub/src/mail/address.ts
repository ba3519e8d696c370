import type { Party } from '@muster/contract/messages'
import type { Agents } from '../agents/agents.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import * as store from './store.ts'

/** Whom a message is for; nobody: for all. */
export type Addressee = (Party & { id: string }) | null
export type Address = {
  to: Addressee
  /** The workers whose mailboxes get it. A person has none and reads the history. */
  mailboxes: string[]
  replyTo: string | null
  root: string | null
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
  words: { to?: string | null | undefined; replyTo?: string | undefined },
): Promise<Address> {
  const replied = words.replyTo === undefined ? undefined : await mustSee(tx, actor, words.replyTo)
  const thread = { replyTo: replied?.id ?? null, root: replied?.root ?? null }
  const to = await addresseeOf(tx, agents, actor, words.to, replied)
  if (to === null) {
    const all = await agents.reachable(tx, keepDays)
    return { to, mailboxes: all.filter((id) => id !== actor.id), ...thread }
  }
  return { to, mailboxes: to.kind === 'worker' ? [to.id] : [], ...thread }
}

export async function mustSee(tx: Tx, actor: Actor, id: string): Promise<store.MessageRow> {
  const row = await store.byId(tx, readerOf(actor), id)
  if (row === undefined) throw new MusterError('not_found', `No message ${id} is kept here.`)
  return row
}

async function addresseeOf(
  tx: Tx,
  agents: Agents,
  actor: Actor,
  name: string | null | undefined,
  replied: store.MessageRow | undefined,
): Promise<Addressee> {
  if (name === null) return null
  if (name !== undefined) {
    const id = await agents.idOf(tx, name)
    if (id === undefined) throw new MusterError('not_found', `No agent is called ${name}.`)
    return { kind: 'worker', id, name }
  }
  if (replied === undefined) {
    throw new MusterError('invalid_request', 'to: is needed where no message is answered')
  }
  // Whoever answers itself goes on speaking to the same.
  if (replied.from_id !== actor.id) {
    return { kind: replied.from_kind, id: replied.from_id, name: replied.from_name }
  }
  if (replied.to_kind === null || replied.to_id === null) return null
  return { kind: replied.to_kind, id: replied.to_id, name: replied.to_name ?? '' }
}
