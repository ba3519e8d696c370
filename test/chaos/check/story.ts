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
 * How many tasks of the round have not ended though nothing keeps them, and for how long the longest-ended lease waits
 * to be noticed. A task that depends on one which failed or was cancelled waits for a person, rightly.
 */
export async function readOpen(
  reader: Client,
  titlePrefix: string,
): Promise<{ open: number; overdueMs: number }> {
  const { rows } = await reader.query<{ open: number; overdue: number | null }>(
    `select (select count(*)::int from tasks t where title like $1 and ended_at is null and not exists (
              select from task_dependencies d join tasks needed on needed.id = d.needs_id
              where d.task_id = t.id and needed.state in ('dead', 'cancelled'))) as open,
            (select max(extract(epoch from now() - lease_expires_at) * 1000)::float8 from task_queue) as overdue`,
    [`${titlePrefix}%`],
  )
  return { open: rows[0]?.open ?? 0, overdueMs: rows[0]?.overdue ?? 0 }
}

/** When the first task after an instant was done, and when leases were taken back after it. */
export async function readFirst(reader: Client, kind: string, after: number): Promise<number | undefined> {
  const { rows } = await reader.query<{ first: number | null }>(
    `select ${at('min(at)')} as first from events where kind = $1 and at > to_timestamp($2::float8 / 1000)`,
    [kind, after],
  )
  return rows[0]?.first ?? undefined
}
