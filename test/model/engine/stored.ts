import type { ModelDatabase } from './database.ts'

/** Everything the engine keeps, as the superuser sees it at one instant. Times are milliseconds of the database's clock. */
export type Stored = {
  now: number
  tasks: StoredTask[]
  queue: StoredPlace[]
  runs: StoredRun[]
  evidence: { ws: string; task: string; run: string; commit: string }[]
  events: StoredEvent[]
  output: { ws: string; task: string; run: string; batch: number; part: number }[]
  workers: StoredWorker[]
  needs: { ws: string; task: string; needs: string }[]
  keys: { ws: string; key: string; task: string | null }[]
}

export type StoredTask = {
  ws: string
  id: string
  state: string
  ending: string | null
  epoch: number
  attempt: number
  losses: number
  failures: number
  phase: string | null
  worker: string | null
  run: string | null
  branch: string | null
  commit: string | null
}

type StoredPlace = {
  ws: string
  task: string
  worker: string | null
  epoch: number
  lane: number
  enqueued: number
  /** Null: at once. */
  notBefore: number | null
  assigned: number | null
  accepted: number | null
  expires: number | null
  deadline: number | null
  progress: number | null
}

type StoredRun = {
  ws: string
  id: string
  task: string
  epoch: number
  attempt: number
  worker: string
  phase: string | null
  ending: string | null
  commit: string | null
  branch: string | null
}

export type StoredEvent = {
  ws: string
  /** Where it stands for readers: by transaction first, as `events.read` gives it out. */
  place: number
  /** Where it was written, among all. */
  seq: number
  kind: string
  task: string | null
  run: string | null
  data: Record<string, unknown>
}

type StoredWorker = {
  ws: string
  id: string
  name: string
  instance: string | null
  hub: string | null
  seen: number | null
  slots: number
}

const ms = (column: string) => `extract(epoch from nullif(${column}, '-infinity'))::float8 * 1000`
const rows = (name: string, query: string) =>
  `'${name}', (select coalesce(json_agg(row_to_json(each)), '[]') from (${query}) each)`

const everything = {
  name: 'everything',
  text: `select json_build_object(${[
    `'now', ${ms('clock_timestamp()')}`,
    rows(
      'tasks',
      `select workspace_id as ws, id, state, ending, epoch, attempt, losses, failures, phase, worker_id as worker, run_id as run,
       branch, commit from tasks order by id`,
    ),
    rows(
      'queue',
      `select workspace_id as ws, task_id as task, worker_id as worker, epoch, lane, ${ms('enqueued_at')} as enqueued,
       ${ms('not_before')} as "notBefore", ${ms('assigned_at')} as assigned, ${ms('accepted_at')} as accepted,
       ${ms('lease_expires_at')} as expires, ${ms('deadline_at')} as deadline,
       ${ms('progress_at')} as progress
     from task_queue order by lane, enqueued_at, task_id`,
    ),
    rows(
      'runs',
      `select workspace_id as ws, id, task_id as task, epoch, attempt, worker_id as worker, phase, ending, commit, branch
     from runs order by task_id, epoch`,
    ),
    rows('evidence', `select workspace_id as ws, task_id as task, run_id as run, commit from evidence`),
    rows(
      'events',
      `select workspace_id as ws, row_number() over (order by txid, seq) as place, seq, kind, task_id as task,
       run_id as run, data from events order by seq`,
    ),
    rows(
      'output',
      `select workspace_id as ws, task_id as task, run_id as run, batch, part from run_output order by seq`,
    ),
    rows(
      'workers',
      `select workspace_id as ws, id, name, instance, connected_hub as hub, ${ms('last_seen_at')} as seen, slots
     from workers order by name`,
    ),
    rows('needs', `select workspace_id as ws, task_id as task, needs_id as needs from task_dependencies`),
    rows('keys', `select workspace_id as ws, key, response ->> 'id' as task from idempotency_keys`),
  ].join(', ')}) as everything`,
}

export async function readStored(database: ModelDatabase): Promise<Stored> {
  const [row] = await database.query<{ everything: Stored }>(everything)
  if (row === undefined) throw new Error('the database answered nothing')
  return row.everything
}
