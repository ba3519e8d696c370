import type { Message } from '@muster/contract/messages'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { mustSee, readerOf } from './address.ts'
import * as store from './store.ts'

/** A thread by any of its messages. Of an answer given in private one learns only if one wrote or got it. */
export async function readThread(
  tx: Tx,
  actor: Actor,
  query: { message: string; part: 'thread' | 'replies' | 'root'; after: number; limit: number },
): Promise<{ root: string; items: Message[]; more: boolean }> {
  const { root } = await mustSee(tx, actor, query.message)
  const rows = await store.ofThread(tx, readerOf(actor), {
    root,
    answersTo: query.part === 'replies' ? query.message : null,
    only: query.part === 'root' ? root : null,
    after: query.after,
    limit: query.limit + 1,
  })
  return {
    root,
    items: rows.slice(0, query.limit).map(store.toMessage),
    more: rows.length > query.limit,
  }
}
