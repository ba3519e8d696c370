import type { CheckResult, Proof } from '@muster/contract/checks'
import { lanes, type Ending, type TaskState, type Tier } from '@muster/contract/task-states'
import type { Task, TaskRow } from '@muster/contract/tasks'
import type { Tx } from '../kernel/db.ts'
import { isId } from '../kernel/ids.ts'
import type { TaskSpec } from './sql/claim.ts'

export type StoredTask = {
  id: string
  workspace_id: string
  short: string
  repo_id: string
  repo: string
  title: string
  description: string | null
  spec: TaskSpec
  lane: number
  tier: Tier
  state: TaskState
  ending: Ending | null
  reason: string | null
  epoch: number
  attempt: number
  losses: number
  phase: string | null
  worker_id: string | null
  worker: string | null
  run_id: string | null
  branch: string | null
  commit: string | null
  checks: CheckResult[]
  proof: Proof | null
  created_by: string
  created_at: Date
  started_at: Date | null
  ended_at: Date | null
  deadline_at: Date | null
}

const columns = `id, workspace_id, short, repo_id, repo, title, description, spec, lane, tier, state, ending, reason,
  epoch, attempt, losses, phase, worker_id, worker, run_id, branch, commit, checks, proof, created_by, created_at,
  started_at, ended_at, deadline_at`

const byId = { name: 'tasks_by_id', text: `select ${columns} from tasks where id = $1` }
const byShort = { name: 'tasks_by_short', text: `select ${columns} from tasks where short = $1 limit 2` }
const lockById = { name: 'tasks_lock', text: `select ${columns} from tasks where id = $1 for update` }

/** By id, or by its last eight characters when exactly one task has them. */
export async function find(tx: Tx, ref: string): Promise<StoredTask | undefined> {
  const isShort = ref.length === 8
  if (!isShort && !isId(ref)) return undefined
  const rows = await tx.query<StoredTask>(isShort ? byShort : byId, [ref])
  return rows.length === 1 ? rows[0] : undefined
}

export async function lock(tx: Tx, id: string): Promise<StoredTask | undefined> {
  return (await tx.query<StoredTask>(lockById, [id]))[0]
}

export async function insert(
  tx: Tx,
  task: {
    workspaceId: string
    id: string
    repoId: string
    repo: string
    title: string
    description: string | null
    spec: TaskSpec
    lane: number
    tier: string
    state: 'queued' | 'waiting'
    createdBy: string
  },
): Promise<StoredTask> {
  const rows = await tx.query<StoredTask>(
    {
      name: 'tasks_insert',
      text: `insert into tasks (workspace_id, id, repo_id, repo, title, description, spec, lane, tier, state, created_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning ${columns}`,
    },
    [
      task.workspaceId,
      task.id,
      task.repoId,
      task.repo,
      task.title,
      task.description,
      JSON.stringify(task.spec),
      task.lane,
      task.tier,
      task.state,
      task.createdBy,
    ],
  )
  return rows[0] as StoredTask
}

export function list(
  tx: Tx,
  query: { states: string[] | null; repo: string | null; before: string; limit: number },
): Promise<StoredTask[]> {
  return tx.query<StoredTask>(
    {
      name: 'tasks_list',
      text: `select ${columns} from tasks
             where id < $1 and ($2::text[] is null or state = any($2)) and ($3::text is null or repo = $3)
             order by id desc limit $4`,
    },
    [query.before, query.states, query.repo, query.limit],
  )
}

/** Moves a task to its end. The epoch in the row is raised unless the end comes from the current run itself. */
export async function end(
  tx: Tx,
  task: {
    workspaceId: string
    id: string
    state: 'done' | 'dead' | 'cancelled'
    ending: Ending
    reason: string
    raiseEpoch: boolean
    branch?: string | null
    commit?: string | null
    checks?: CheckResult[]
    proof?: Proof | null
  },
): Promise<void> {
  await tx.query(
    {
      name: 'tasks_end',
      text: `update tasks set state = $3, ending = $4, reason = $5, ended_at = now(), phase = null,
               epoch = epoch + case when $6 then 1 else 0 end, branch = coalesce($7, branch),
               commit = coalesce($8, commit), checks = coalesce($9::jsonb, checks),
               proof = coalesce($10::jsonb, proof)
             where workspace_id = $1 and id = $2`,
    },
    [
      task.workspaceId,
      task.id,
      task.state,
      task.ending,
      task.reason,
      task.raiseEpoch,
      task.branch ?? null,
      task.commit ?? null,
      task.checks === undefined ? null : JSON.stringify(task.checks),
      task.proof == null ? null : JSON.stringify(task.proof),
    ],
  )
}

export async function requeue(
  tx: Tx,
  task: { workspaceId: string; id: string; reason: string; countsAsLoss: boolean },
): Promise<void> {
  await tx.query(
    {
      name: 'tasks_requeue',
      text: `update tasks set state = 'queued', phase = null, worker_id = null, worker = null, deadline_at = null,
               reason = $3, losses = losses + case when $4 then 1 else 0 end
             where workspace_id = $1 and id = $2`,
    },
    [task.workspaceId, task.id, task.reason, task.countsAsLoss],
  )
}

/** An ended task as if it had never run, but for its epoch and its count of attempts. */
export async function reopen(tx: Tx, id: string, state: 'queued' | 'waiting'): Promise<void> {
  await tx.query(
    `update tasks set state = $2, ending = null, reason = null, started_at = null, ended_at = null, deadline_at = null,
       losses = 0, worker_id = null, worker = null, branch = null, commit = null, checks = '[]', proof = null
     where id = $1`,
    [id, state],
  )
}

export async function dependencies(
  tx: Tx,
  id: string,
): Promise<{ id: string; title: string; state: TaskState }[]> {
  return tx.query(
    `select t.id, t.title, t.state from task_dependencies d join tasks t on t.id = d.needs_id
     where d.task_id = $1 order by t.id`,
    [id],
  )
}

export function toTaskRow(row: StoredTask): TaskRow {
  return {
    id: row.id,
    short: row.short,
    title: row.title,
    repo: row.repo,
    state: row.state,
    ending: row.ending,
    lane: lanes[row.lane] ?? 'normal',
    tier: row.tier,
    attempt: row.attempt,
    phase: row.phase,
    worker: row.worker,
    branch: row.branch,
    commit: row.commit,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    endedAt: row.ended_at?.toISOString() ?? null,
  }
}

export function toTask(row: StoredTask, more: { after: string[]; reason: string | null }): Task {
  return {
    ...toTaskRow(row),
    description: row.description,
    run: row.spec.run,
    prompt: row.spec.prompt,
    declaredChecks: row.spec.checks.map(({ kind, target }) => ({ kind, target })),
    after: more.after,
    wall: row.spec.wall,
    network: row.spec.network,
    mayChange: row.spec.mayChange,
    allowEmpty: row.spec.allowEmpty,
    timeoutMs: row.spec.timeoutMs,
    epoch: row.epoch,
    deadlineAt: row.deadline_at?.toISOString() ?? null,
    createdBy: row.created_by,
    reason: more.reason,
    checks: row.checks,
    proof: row.proof,
    runId: row.run_id,
  }
}
