import type { Message } from '@muster/contract/messages'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import { columns, toMessage, type MessageRow } from './store.ts'

export type ChannelRow = { id: string; name: string; last: string; created_at: Date }

export async function find(tx: Tx, name: string): Promise<ChannelRow | undefined> {
  const rows = await tx.query<ChannelRow>('select id, name, last, created_at from channels where name = $1', [
    name,
  ])
  return rows[0]
}

export async function channelOf(tx: Tx, name: string): Promise<ChannelRow> {
  const row = await find(tx, name)
  if (row === undefined) throw new MusterError('not_found', `No channel is called ${name}.`)
  return row
}

export async function count(tx: Tx): Promise<number> {
  return (await tx.query<{ n: number }>('select count(*)::int as n from channels'))[0]?.n ?? 0
}

export async function insert(tx: Tx, row: { workspaceId: string; id: string; name: string }): Promise<void> {
  await tx.query('insert into channels (workspace_id, id, name) values ($1, $2, $3)', [
    row.workspaceId,
    row.id,
    row.name,
  ])
}

/** The next place in a channel; what is further back than the channel may hold goes. Answers how much that was. */
export async function advance(tx: Tx, id: string, size: number): Promise<{ place: number; gone: number }> {
  const [row] = await tx.query<{ last: string }>(
    'update channels set last = last + 1 where id = $1 returning last',
    [id],
  )
  const place = Number(row?.last)
  const gone = await tx.query('delete from messages where channel_id = $1 and place <= $2 returning 1', [
    id,
    place - size,
  ])
  return { place, gone: gone.length }
}

/** False when it is so already. */
export async function join(tx: Tx, workspaceId: string, channelId: string, workerId: string) {
  const rows = await tx.query(
    `insert into channel_members (workspace_id, channel_id, worker_id) values ($1, $2, $3)
     on conflict do nothing returning 1`,
    [workspaceId, channelId, workerId],
  )
  return rows.length > 0
}

/** False when it is so already. */
export async function leave(tx: Tx, channelId: string, workerId: string): Promise<boolean> {
  const rows = await tx.query(
    'delete from channel_members where channel_id = $1 and worker_id = $2 returning 1',
    [channelId, workerId],
  )
  return rows.length > 0
}

export function membersChanged(tx: Tx): Promise<unknown> {
  return tx.query('update mail_heads set members_version = members_version + 1')
}

export function list(tx: Tx): Promise<ChannelRow[]> {
  return tx.query<ChannelRow>('select id, name, last, created_at from channels order by name limit 1000')
}

export type Member = { channel_id: string; channel: string; worker_id: string }

export function members(tx: Tx): Promise<Member[]> {
  return tx.query<Member>(
    `select m.channel_id, c.name as channel, m.worker_id from channel_members m
     join channels c on c.workspace_id = m.workspace_id and c.id = m.channel_id`,
  )
}

export type Placed = { cursor: number; message: Message }

/** After a place, or the newest; oldest first in either case. */
export async function history(
  tx: Tx,
  channelId: string,
  query: { after?: number | undefined; limit: number },
): Promise<Placed[]> {
  const rows = await tx.query<MessageRow>(
    `select * from (
       select ${columns} from messages m where m.channel_id = $1 and m.place > $2
       order by case when $3 then -m.place else m.place end limit $4
     ) as m order by m.place`,
    [channelId, query.after ?? 0, query.after === undefined, query.limit],
  )
  return rows.map(toPlaced)
}

/** What was published in any channel, in the order of its posting. */
export async function published(
  tx: Tx,
  query: { after: number; upTo: number; limit: number },
): Promise<{ channelId: string; seq: number; placed: Placed }[]> {
  const rows = await tx.query<MessageRow>(
    {
      name: 'channels_published',
      text: `select ${columns} from messages m where m.channel_id is not null and m.seq > $1 and m.seq <= $2
             order by m.seq limit $3`,
    },
    [query.after, query.upTo, query.limit],
  )
  return rows.map((row) => ({
    channelId: row.channel_id ?? '',
    seq: Number(row.seq),
    placed: toPlaced(row),
  }))
}

function toPlaced(row: MessageRow): Placed {
  return { cursor: Number(row.place), message: toMessage(row) }
}
