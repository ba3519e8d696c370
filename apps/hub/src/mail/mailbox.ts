import type { Message } from '@muster/contract/messages'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import { columns, toMessage, type MessageRow } from './store.ts'

export type Unread = {
  items: { cursor: number; message: Message }[]
  /** How many before the first of these are gone unread. */
  dropped: number
  last: number
}

/**
 * A mailbox is a row of positions: `last` was given to the newest message ever, all up to `acked` were acknowledged. What
 * lies between and is not there any more was let go, always from the old end, so the one gap says how many.
 */
export async function readMailbox(
  tx: Tx,
  workerId: string,
  query: { after?: number | undefined; limit: number },
): Promise<Unread> {
  const rows = await tx.query<Boxed & Partial<MessageRow>>(read, [workerId, query.after ?? 0, query.limit])
  const [box] = rows
  if (box === undefined) return { items: [], dropped: 0, last: 0 }
  const items = rows
    .filter(isFilled)
    .map((row) => ({ cursor: Number(row.position), message: toMessage(row) }))
  const last = Number(box.last)
  return { items, dropped: (items[0]?.cursor ?? last + 1) - Number(box.after) - 1, last }
}

type Boxed = { last: string; after: string; position: string | null }

function isFilled(row: Boxed & Partial<MessageRow>): row is Boxed & MessageRow {
  return row.position !== null
}

// One statement, so one snapshot: what is acknowledged between two of them would look as if it had been let go.
const read = {
  name: 'mailbox_read',
  text: `select b.last, b.after, e.* from (
      select last, least(greatest($2::bigint, acked), last) as after from mailboxes where worker_id = $1
    ) as b left join lateral (
      select x.position, ${columns} from mailbox_entries x
      join messages m on m.workspace_id = x.workspace_id and m.seq = x.seq
      where x.worker_id = $1 and x.position > b.after order by x.position limit $3
    ) as e on true order by e.position`,
}

/** Acknowledging the same again changes nothing; a message that does not exist yet cannot be acknowledged. */
export async function acknowledge(tx: Tx, workerId: string, cursor: number): Promise<void> {
  const boxes = await tx.query(
    'update mailboxes set acked = greatest(acked, $2) where worker_id = $1 and last >= $2 returning 1',
    [workerId, cursor],
  )
  if (boxes.length === 0) {
    if (cursor === 0) return
    throw new MusterError('invalid_request', `cursor: no message of this mailbox has ${cursor} yet`)
  }
  await tx.query('delete from mailbox_entries where worker_id = $1 and position <= $2', [workerId, cursor])
}
