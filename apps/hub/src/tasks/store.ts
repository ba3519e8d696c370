import type { CheckResult, Proof } from '@muster/contract/checks'
import { lanes, type Ending, type TaskState, type Tier } from '@muster/contract/task-states'
import type { Decision, Task, TaskRow } from '@muster/contract/tasks'
import type { Tx } from '../kernel/db.ts'
import { isId } from '../kernel/ids.ts'
import type { TaskSpec } from './sql/lease-many.ts'

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
  guessed_tier: Tier
  state: TaskState
  ending: Ending | null
  reason: string | null
  epoch: number
  attempt: number
  losses: number
  failures: number
  retries: number
  only_worker: string | null
  complete_by: Date | null
  decision: Decision | null
  /** Of its queue row, while it waits there. */
  not_before: Date | null
  expires_at: Date | null
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

const stored = `id, workspace_id, short, repo_id, repo, title, description, spec, lane, tier, guessed_tier, state, ending,
  reason, epoch, attempt, losses, failures, retries, only_worker, complete_by, decision, phase, worker_id, worker, run_id,
  branch, commit, checks, proof, created_by, created_at, started_at, ended_at, deadline_at`
const columns = `${stored}, null::timestamptz as not_before, null::timestamptz as expires_at`

// What the queue row of a waiting task knows; two look-ups by key, for what is shown and not for what is decided.
const ofQueue = (column: string) =>
  `(select ${column} from task_queue q
    where q.workspace_id = tasks.workspace_id and q.task_id = tasks.id and q.worker_id is null)`
const shown = `${stored}, ${ofQueue(`nullif(not_before, '-infinity')`)} as not_before,
  ${ofQueue('expires_at')} as expires_at`

const byId = { name: 'tasks_by_id', text: `select ${shown} from tasks where id = $1` }
const byShort = { name: 'tasks_by_short', text: `select ${shown} from tasks where short = $1 limit 2` }
const lockById = { name: 'tasks_lock', text: `select ${columns} from tasks where id = $1 for update` }

/** By id, or by its last eight characters when exactly one task has them. */
export async function find(tx: Tx, ref: string): Promise<StoredTask | undefined> {
  const isShort = ref.length === 8
  if (!isShort && !isId(ref)) return undefined
  const rows = await tx.query<StoredTask>(isShort ? byShort : byId, [ref])
  return rows.length === 1 ? rows[0] : undefined
}

export type Named = {
  id: string
  title: string
  short: string
  prompt: string | null
  /** The run of its last lease. */
  run_id: string | null
}

export async function namesOf(tx: Tx, ids: string[]): Promise<Map<string, Named>> {
  return new Map((await tx.query<Named>(names, [ids])).map((row) => [row.id, row]))
}

const names = {
  name: 'tasks_names',
  text: `select id, title, short, spec ->> 'prompt' as prompt, run_id from tasks where id = any($1::uuid[])`,
}

export async function lock(tx: Tx, id: string): Promise<StoredTask | undefined> {
  return (await tx.query<StoredTask>(lockById, [id]))[0]
}

export type NewTask = Pick<
  StoredTask,
  | 'id'
  | 'repo_id'
  | 'repo'
  | 'title'
  | 'description'
  | 'spec'
  | 'lane'
  | 'tier'
  | 'guessed_tier'
  | 'retries'
  | 'only_worker'
  | 'created_by'
> & { state: 'queued' | 'waiting'; complete_by: string | null }

/** Of one workspace; answered in no order. */
export async function insertAll(tx: Tx, workspaceId: string, tasks: NewTask[]): Promise<StoredTask[]> {
  return tx.query<StoredTask>(insertTasks, [workspaceId, JSON.stringify(tasks)])
}

const insertTasks = {
  name: 'tasks_insert',
  text: `insert into tasks (workspace_id, id, repo_id, repo, title, description, spec, lane, tier, guessed_tier, retries,
           only_worker, created_by, state, complete_by)
         select $1, t.* from json_to_recordset($2::json) as t (id uuid, repo_id uuid, repo text, title text,
           description text, spec jsonb, lane smallint, tier text, guessed_tier text, retries int, only_worker text,
           created_by text, state text, complete_by timestamptz)
         returning ${columns}`,
}

export function list(
  tx: Tx,
  query: { states: string[] | null; repo: string | null; before: string; limit: number },
): Promise<StoredTask[]> {
  return tx.query<StoredTask>(
    {
      name: 'tasks_list',
      text: `select ${shown} from tasks
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

/** What the end of a run is judged by. */
export type ToEnd = Pick<StoredTask, 'id' | 'title' | 'short' | 'failures' | 'retries' | 'spec'>

/** In one order for everybody, as every lock on many. */
export function lockToEnd(tx: Tx, ids: string[]): Promise<ToEnd[]> {
  return tx.query<ToEnd>(lockEnding, [ids])
}

const lockEnding = {
  name: 'tasks_lock_to_end',
  text: `select id, title, short, failures, retries, spec from tasks where id = any($1::uuid[]) order by id for update`,
}

/** Ends that runs said themselves, of many tasks of a workspace. */
export async function endAll(
  tx: Tx,
  workspaceId: string,
  ends: {
    id: string
    ending: Ending
    reason: string
    branch: string | null
    commit: string | null
    checks: CheckResult[]
    proof: Proof | null
  }[],
): Promise<void> {
  await tx.query(endTasks, [workspaceId, JSON.stringify(ends), ends.map((each) => each.id)])
}

const endTasks = {
  name: 'tasks_end_all',
  text: `update tasks t
         set state = case when e.ending = 'verified' then 'done' else 'dead' end, ending = e.ending, reason = e.reason,
           ended_at = now(), phase = null, branch = coalesce(e.branch, t.branch),
           commit = coalesce(e.commit, t.commit), checks = e.checks, proof = coalesce(e.proof, t.proof)
         from jsonb_to_recordset($2::jsonb) as e (id uuid, ending text, reason text, branch text, commit text,
           checks jsonb, proof jsonb)
         where t.workspace_id = $1 and t.id = any($3::uuid[]) and t.id = e.id`,
}

/** What a task keeps of a run that ended without ending it. */
export type Back = {
  workspaceId: string
  id: string
  reason: string
  /** A vanished run, a failed one, or neither. */
  counts: 'loss' | 'failure' | 'nothing'
  raiseEpoch: boolean
  checks?: CheckResult[]
  proof?: Proof | null
}

export async function requeue(tx: Tx, task: Back): Promise<void> {
  await tx.query(
    {
      name: 'tasks_requeue',
      text: `update tasks set state = 'queued', phase = null, worker_id = null, worker = null, deadline_at = null,
               reason = $3, losses = losses + case when $4 = 'loss' then 1 else 0 end,
               failures = failures + case when $4 = 'failure' then 1 else 0 end,
               epoch = epoch + case when $5 then 1 else 0 end, checks = coalesce($6::jsonb, checks),
               proof = coalesce($7::jsonb, proof)
             where workspace_id = $1 and id = $2`,
    },
    [
      task.workspaceId,
      task.id,
      task.reason,
      task.counts,
      task.raiseEpoch,
      task.checks === undefined ? null : JSON.stringify(task.checks),
      task.proof == null ? null : JSON.stringify(task.proof),
    ],
  )
}

/** A late result takes its task up again: as if the lease had not been given up. */
export async function takeUp(tx: Tx, id: string, worker: { id: string; name: string }): Promise<void> {
  await tx.query(
    {
      name: 'tasks_take_up',
      text: `update tasks set state = 'verifying', worker_id = $2, worker = $3 where id = $1`,
    },
    [id, worker.id, worker.name],
  )
}

/** An ended task as if it had never run, but for its epoch and its count of attempts. */
export async function reopen(tx: Tx, id: string, state: 'queued' | 'waiting'): Promise<StoredTask> {
  const rows = await tx.query<StoredTask>(
    `update tasks set state = $2, ending = null, reason = null, started_at = null, ended_at = null, deadline_at = null,
       losses = 0, failures = 0, worker_id = null, worker = null, branch = null, commit = null, checks = '[]',
       proof = null, decision = null,
       complete_by = case when complete_by > now() then complete_by end
     where id = $1 returning ${columns}`,
    [id, state],
  )
  return rows[0] as StoredTask
}

/** With its dependencies on others; what others wait for cannot be removed (foreign key). */
export async function remove(tx: Tx, id: string): Promise<void> {
  await tx.query('delete from task_dependencies where task_id = $1', [id])
  await tx.query('delete from tasks where id = $1', [id])
}

export type Needed = { task_id: string; id: string; title: string; state: TaskState }

export async function dependencies(tx: Tx, id: string): Promise<Needed[]> {
  return dependenciesOf(tx, [id])
}

/** What these tasks wait for, or waited for. */
export function dependenciesOf(tx: Tx, ids: string[]): Promise<Needed[]> {
  return tx.query<Needed>(needed, [ids])
}

// A look for each and no join: few tasks have any, and a join may read all tasks of the workspace to find that out.
const needed = {
  name: 'tasks_dependencies',
  text: `select d.task_id, t.id, t.title, t.state
         from task_dependencies d, lateral (select id, title, state from tasks where id = d.needs_id limit 1) t
         where d.task_id = any($1) order by t.id`,
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
    failures: row.failures,
    retries: row.retries,
    notBefore: row.not_before?.toISOString() ?? null,
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
    model: row.spec.model,
    practice: row.spec.practice !== null,
    fixes: row.spec.fixes,
    budgetUsd: row.spec.budgetUsd,
    declaredChecks: row.spec.checks.map(({ kind, target }) => ({ kind, target })),
    after: more.after,
    needs: row.spec.needs,
    onlyWorker: row.only_worker,
    fileHints: row.spec.fileHints,
    criteria: row.spec.criteria,
    metadata: row.spec.metadata,
    guessedTier: row.guessed_tier,
    completeBy: row.complete_by?.toISOString() ?? null,
    expiresAt: row.expires_at?.toISOString() ?? null,
    assigned:
      row.decision === null
        ? null
        : { ...row.decision, at: new Date(row.decision.at).toISOString(), worker: row.decision.worker },
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
