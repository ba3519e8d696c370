import type { Event, EventKind } from '@muster/contract/events'
import type { Actor } from './actor.ts'
import type { Tx } from './db.ts'
import type { Hints } from './hints.ts'

export type NewEvent = {
  kind: EventKind
  taskId?: string
  runId?: string
  data?: Record<string, unknown>
}

type EventRow = {
  txid: string
  seq: string
  workspace_id: string
  kind: EventKind
  task_id: string | null
  run_id: string | null
  actor: string
  data: Record<string, unknown>
  at: Date
}

export type Events = ReturnType<typeof createEvents>

const start = '0-0'
const columns = 'txid, seq, workspace_id, kind, task_id, run_id, actor, data, at'

/**
 * The outbox. An event is written in the transaction of the change it tells, and read in the order (txid, seq)
 * below the oldest transaction still running, so a reader with a cursor misses none and sees none twice.
 */
export function createEvents({ hints }: { hints: Hints }) {
  return {
    async publish(tx: Tx, actor: Actor, event: NewEvent): Promise<void> {
      await tx.query(insert, [
        actor.workspaceId,
        event.kind,
        event.taskId ?? null,
        event.runId ?? null,
        actor.label,
        JSON.stringify(event.data ?? {}),
      ])
      tx.afterCommit(() => hints.send('events'))
    },

    /** Several of one actor in one statement, in their order. */
    publishAll(tx: Tx, actor: Actor, all: NewEvent[]): Promise<void> {
      return this.publishEach(
        tx,
        all.map((event) => ({ actor, event })),
      )
    },

    /** Several of one workspace in one statement, in their order. */
    async publishEach(tx: Tx, all: { actor: Actor; event: NewEvent }[]): Promise<void> {
      const [first] = all
      if (first === undefined) return
      tx.afterCommit(() => hints.send('events'))
      await tx.query(insertAll, [
        first.actor.workspaceId,
        all.map(({ actor }) => actor.label),
        all.map(({ event }) => event.kind),
        all.map(({ event }) => event.taskId ?? null),
        all.map(({ event }) => event.runId ?? null),
        all.map(({ event }) => JSON.stringify(event.data ?? {})),
      ])
    },

    /** The last events of one task, oldest first; without its steps, which are many and have a list of their own. */
    async lastOf(tx: Tx, taskId: string, limit: number): Promise<Event[]> {
      const rows = await tx.query<EventRow>(
        `select ${columns} from events where task_id = $1 and kind <> 'run.step'
         order by txid desc, seq desc limit $2`,
        [taskId, limit],
      )
      return rows.map(toEvent).toReversed()
    },

    /** Events after `after` (absent: from the first). Under a workspace transaction only its own are seen. */
    async read(
      tx: Tx,
      query: { after?: string | undefined; taskId?: string | undefined; limit: number },
    ): Promise<Event[]> {
      const [txid, seq] = parseCursor(query.after ?? start)
      const rows = await tx.query<EventRow>(
        `select ${columns} from events
         where (txid, seq) > (${known}, $2::bigint) and txid < pg_snapshot_xmin(pg_current_snapshot())
           and ($3::uuid is null or task_id = $3)
         order by txid, seq limit $4`,
        [txid, seq, query.taskId ?? null, query.limit],
      )
      return rows.map(toEvent)
    },

    /** The cursor behind everything that has happened so far. */
    async head(tx: Tx): Promise<string> {
      const rows = await tx.query<{ head: string }>(
        `select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text as head`,
      )
      return `${rows[0]?.head ?? '0'}-${maxSeq}`
    },
  }
}

// bigint's largest value: a cursor behind every event of its transaction.
const maxSeq = '9223372036854775807'

/**
 * A transaction that began first may change a task last: a cancellation has its number before it waits for the lock
 * that an acceptance holds. Readers order by that number, and would be told of the cancellation first. So an event takes
 * the number of the newest one of its task if that is higher. That transaction has ended, or its lock would still be
 * held, and ours is told no earlier than it could be: the number is above ours.
 */
const insert = {
  name: 'events_insert',
  text: `insert into events (workspace_id, kind, task_id, run_id, actor, data, txid)
         values ($1, $2, $3, $4, $5, $6, greatest(pg_current_xact_id(),
           (select txid from events where workspace_id = $1 and task_id = $3 order by txid desc limit 1)))`,
}

const insertAll = {
  name: 'events_insert_all',
  text: `insert into events (workspace_id, actor, kind, task_id, run_id, data, txid)
         select $1, e.actor, e.kind, e.task_id, e.run_id, e.data, greatest(pg_current_xact_id(),
           (select txid from events where workspace_id = $1 and task_id = e.task_id order by txid desc limit 1))
         from unnest($2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::jsonb[]) with ordinality
           as e (actor, kind, task_id, run_id, data, at)
         order by e.at`,
}

/** A cursor that is not one of ours reads from the start rather than failing: nothing is missed. */
function parseCursor(cursor: string): [string, string] {
  const [, txid = '0', seq = '0'] = /^(\d{1,19})-(\d{1,19})$/.exec(cursor) ?? []
  return BigInt(txid) > BigInt(maxSeq) || BigInt(seq) > BigInt(maxSeq) ? ['0', '0'] : [txid, seq]
}

// A transaction that has not begun yet: the cursor is from before the database was restored, so it starts again.
const known = `case when $1::xid8 < pg_snapshot_xmax(pg_current_snapshot()) then $1::xid8 else '0'::xid8 end`

function toEvent(row: EventRow): Event {
  return {
    cursor: `${row.txid}-${row.seq}`,
    kind: row.kind,
    taskId: row.task_id,
    runId: row.run_id,
    actor: row.actor,
    data: row.data,
    at: row.at.toISOString(),
  }
}
