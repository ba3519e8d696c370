import type { Client } from 'pg'

/** What the database says about the tasks of a round, as of one instant. Every statement of the checker is in here. */
export type Story = {
  tasks: TaskFact[]
  queue: { taskId: string; epoch: number; workerId: string | null; overdueMs: number | null }[]
  runs: { taskId: string; runId: string; epoch: number; ending: string | null; commit: string | null }[]
  evidence: { taskId: string; runId: string; commit: string }[]
  /** In the order in which a reader with a cursor gets them. `writtenAt` orders them by when they were written. */
  events: EventFact[]
  /** The last output that each run stored. */
  output: { taskId: string; epoch: number; writtenAt: number }[]
}
export type TaskFact = {
  id: string
  title: string
  state: string
  ending: string | null
  epoch: number
  commit: string | null
  runId: string | null
}
export type EventFact = {
  kind: string
  taskId: string
  runId: string | null
  data: Record<string, unknown>
  writtenAt: number
}

const ofRound = `select id from tasks where title like $1`
const at = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`

const statements: { [K in keyof Story]: string } = {
  tasks: `select id, title, state, ending, epoch, commit, run_id as "runId" from tasks where title like $1`,
  queue: `select task_id as "taskId", epoch, worker_id as "workerId",
            (extract(epoch from now() - lease_expires_at) * 1000)::float8 as "overdueMs"
          from task_queue where task_id in (${ofRound})`,
  runs: `select task_id as "taskId", id as "runId", epoch, ending, commit from runs where task_id in (${ofRound})`,
  evidence: `select task_id as "taskId", run_id as "runId", commit from evidence where task_id in (${ofRound})`,
  events: `select kind, task_id as "taskId", run_id as "runId", data, ${at('at')} as "writtenAt"
           from events where task_id in (${ofRound}) order by txid, seq`,
  output: `select o.task_id as "taskId", r.epoch, ${at('max(o.at)')} as "writtenAt"
           from run_output o join runs r on r.workspace_id = o.workspace_id and r.id = o.run_id
           where o.task_id in (${ofRound}) group by o.task_id, r.epoch`,
}

/** All of it in one snapshot, or the parts would be of different instants and the checker would see ghosts. */
export async function readStory(reader: Client, titlePrefix: string): Promise<Story> {
  await reader.query('begin isolation level repeatable read read only')
  try {
    const story: Record<string, unknown[]> = {}
    for (const [part, text] of Object.entries(statements)) {
      story[part] = (await reader.query(text, [`${titlePrefix}%`])).rows
    }
    return story as unknown as Story
  } finally {
    await reader.query('rollback')
  }
}

/**
 * The tasks of the round that have not ended though nothing keeps them, and for how long the longest-ended lease waits to
 * be noticed. A task that depends, at whatever remove, on one which failed or was cancelled waits for a person, rightly.
 */
export async function readOpen(
  reader: Client,
  titlePrefix: string,
): Promise<{ open: string[]; overdueMs: number }> {
  const { rows } = await reader.query<{ open: string[] | null; overdue: number | null }>(
    `with recursive blocked (id) as (
       select id from tasks where title like $1 and state in ('dead', 'cancelled')
       union select d.task_id from task_dependencies d join blocked on blocked.id = d.needs_id)
     select (select array_agg(concat_ws(' ', title, id, state, 'epoch', epoch, worker, reason)) from tasks
             where title like $1 and ended_at is null and id not in (select id from blocked)) as open,
            (select max(extract(epoch from now() - lease_expires_at) * 1000)::float8 from task_queue) as overdue`,
    [`${titlePrefix}%`],
  )
  return { open: rows[0]?.open ?? [], overdueMs: rows[0]?.overdue ?? 0 }
}

/** The cursors of all events behind one, in the order in which a reader must get them. */
export async function readCursors(reader: Client, after: string): Promise<string[]> {
  const { rows } = await reader.query<{ cursor: string }>(
    `select txid || '-' || seq as cursor from events
     where (txid, seq) > ($1::xid8, $2::bigint) order by events.txid, events.seq`,
    after.split('-'),
  )
  return rows.map((row) => row.cursor)
}

/** Who waits for whom in the database, for a person who has to find out why nothing moves. */
export async function readSessions(reader: Client): Promise<string[]> {
  const { rows } = await reader.query<{ session: string }>(
    `select concat_ws(' ', pid, state, wait_event_type, wait_event, 'blocked by', pg_blocking_pids(pid)::text,
              'since', now() - state_change, 'begun', now() - xact_start, left(query, 150)) as session
     from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null`,
  )
  return rows.map((row) => row.session)
}

/** When the first task after an instant was done, and when leases were taken back after it. */
export async function readFirst(reader: Client, kind: string, after: number): Promise<number | undefined> {
  const { rows } = await reader.query<{ first: number | null }>(
    `select ${at('min(at)')} as first from events where kind = $1 and at > to_timestamp($2::float8 / 1000)`,
    [kind, after],
  )
  return rows[0]?.first ?? undefined
}
