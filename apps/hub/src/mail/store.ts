import { messagesPerMinute, type Message, type Party } from '@muster/contract/messages'
import type { Tx } from '../kernel/db.ts'

export type MessageRow = {
  seq: string
  id: string
  from_kind: Party['kind']
  from_id: string
  from_name: string
  to_kind: Party['kind'] | null
  to_id: string | null
  to_name: string | null
  channel_id: string | null
  channel: string | null
  place: string | null
  reply_to: string | null
  root: string
  text: string
  data: string | null
  at: Date
}

export const columns = `m.seq, m.id, m.from_kind, m.from_id, m.from_name, m.to_kind, m.to_id, m.to_name,
  m.channel_id, m.channel, m.place, m.reply_to, m.root, m.text, m.data, m.at`

/** What an agent may read: what is for all, from it or to it. Null: a person, who may read everything of the workspace. */
const visible = `($1::uuid is null or m.to_kind is null or m.from_id = $1 or m.to_id = $1)`

export type Head = { last_seq: string; kept: number; members_version: string }

/** Posts of a workspace go one after the other from here on, in the order of their numbers. */
export async function lockHead(tx: Tx, workspaceId: string): Promise<Head> {
  const lock = () =>
    tx.query<Head>({
      name: 'mail_lock_head',
      text: 'select last_seq, kept, members_version from mail_heads for update',
    })
  const [head] = await lock()
  if (head !== undefined) return head
  await tx.query('insert into mail_heads (workspace_id) values ($1) on conflict do nothing', [workspaceId])
  const [made] = await lock()
  return made ?? { last_seq: '0', kept: 0, members_version: '0' }
}

export async function setHead(tx: Tx, seq: number, kept: number): Promise<void> {
  await tx.query({ name: 'mail_set_head', text: 'update mail_heads set last_seq = $1, kept = $2' }, [
    seq,
    kept,
  ])
}

/** How many this sender has posted within the last minute, and how long until the first of them is older. */
export async function lately(tx: Tx, senderId: string): Promise<{ sent: number; seconds: number }> {
  const [row] = await tx.query<{ sent: number; seconds: number }>(
    {
      name: 'mail_lately',
      text: `select count(*)::int as sent,
               coalesce(ceil(60 - extract(epoch from clock_timestamp() - min(at))), 0)::int as seconds
             from (select at from messages
                   where from_id = $1 and at > clock_timestamp() - interval '1 minute'
                   order by at desc limit ${messagesPerMinute}) as recent`,
    },
    [senderId],
  )
  return row ?? { sent: 0, seconds: 0 }
}

export async function insert(
  tx: Tx,
  row: Omit<MessageRow, 'at' | 'seq' | 'place'> & {
    seq: number
    place: number | null
    workspace_id: string
    key: string | null
  },
): Promise<Date> {
  const names = [
    'workspace_id',
    'seq',
    'id',
    'from_kind',
    'from_id',
    'from_name',
    'to_kind',
    'to_id',
    'to_name',
    'channel_id',
    'channel',
    'place',
    'reply_to',
    'root',
    'key',
    'text',
    'data',
  ] as const
  const [made] = await tx.query<{ at: Date }>(
    {
      name: 'mail_insert',
      text: `insert into messages (${names.join(', ')}) values (${names.map((_, n) => `$${n + 1}`).join(', ')})
             returning at`,
    },
    names.map((name) => row[name]),
  )
  if (made === undefined) throw new Error('an insert answered nothing')
  return made.at
}

export async function byKey(tx: Tx, senderId: string, key: string): Promise<MessageRow | undefined> {
  const rows = await tx.query<MessageRow>(
    `select ${columns} from messages m where m.from_id = $1 and m.key = $2`,
    [senderId, key],
  )
  return rows[0]
}

export async function byId(tx: Tx, reader: string | null, id: string): Promise<MessageRow | undefined> {
  const rows = await tx.query<MessageRow>(
    `select ${columns} from messages m where ${visible} and m.id = $2`,
    [reader, id],
  )
  return rows[0]
}

/** Of one thread: all of it, the answers to one message, or its beginning. */
export function ofThread(
  tx: Tx,
  reader: string | null,
  query: { root: string; answersTo: string | null; only: string | null; after: number; limit: number },
): Promise<MessageRow[]> {
  return tx.query<MessageRow>(
    `select ${columns} from messages m
     where ${visible} and m.root = $2 and ($3::uuid is null or m.reply_to = $3) and ($4::uuid is null or m.id = $4)
       and m.seq > $5 order by m.seq limit $6`,
    [reader, query.root, query.answersTo, query.only, query.after, query.limit],
  )
}

/** Of the whole workspace, for people: after a number, or the newest; oldest first in either case. */
export function list(
  tx: Tx,
  query: {
    to: string | null
    channelId: string | null
    root: string | null
    after: number | undefined
    limit: number
  },
): Promise<MessageRow[]> {
  const { to, channelId, root, after, limit } = query
  return tx.query<MessageRow>(
    `select * from (
       select ${columns} from messages m
       where ($1::uuid is null or m.to_id = $1) and ($2::uuid is null or m.channel_id = $2)
         and ($3::uuid is null or m.root = $3) and m.seq > $4
       order by m.seq ${after === undefined ? 'desc' : 'asc'} limit $5
     ) as m order by m.seq`,
    [to, channelId, root, after ?? 0, limit],
  )
}

export function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    seq: Number(row.seq),
    from: { kind: row.from_kind, name: row.from_name },
    to: row.to_kind === null ? null : { kind: row.to_kind, name: row.to_name ?? '' },
    channel: row.channel,
    replyTo: row.reply_to,
    root: row.root,
    text: row.text,
    data: row.data === null ? null : (JSON.parse(row.data) as Record<string, unknown>),
    at: row.at.toISOString(),
  }
}
