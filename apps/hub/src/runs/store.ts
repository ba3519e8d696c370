import type { Report } from '@muster/contract/checks'
import type { OutputChunk, Run } from '@muster/contract/runs'
import type { ChosenModel } from '@muster/contract/loop'
import type { Ending, Executor, RunPhase } from '@muster/contract/task-states'
import type { RunResult } from '@muster/contract/wire'
import type { Tx } from '../kernel/db.ts'
import type { Beginning } from './beginnings.ts'
import { agentOf } from './branches.ts'
import { hashOf } from './gateway-access.ts'
import { removeOf as removeSteps } from './step-store.ts'

export type RunRow = {
  id: string
  task_id: string
  attempt: number
  epoch: number
  worker_id: string
  worker: string
  agent: string
  wall: string
  executor: Executor
  model: ChosenModel | null
  line: string | null
  steps: number
  input_tokens: string
  output_tokens: string
  cost_microusd: string
  saved_microusd: string
  partial: Run['partial']
  phase: RunPhase | null
  ending: Ending | null
  reason: string | null
  exit_code: number | null
  base: string | null
  commit: string | null
  branch: string | null
  report: Report | null
  started_at: Date
  ended_at: Date | null
}

const columns = `id, task_id, attempt, epoch, worker_id, worker, agent, wall, executor, model, line, steps,
  input_tokens, output_tokens, cost_microusd, saved_microusd, partial, phase, ending, reason, exit_code, base, commit, branch, report, started_at, ended_at`

/** One run for each task that was just leased. */
export async function startAll(tx: Tx, workspaceId: string, begun: Beginning[]): Promise<void> {
  const of = <T>(pick: (task: Beginning['task']) => T) => begun.map(({ task }) => pick(task))
  await tx.query(startRuns, [
    workspaceId,
    of((task) => task.run_id),
    of((task) => task.id),
    of((task) => task.attempt),
    of((task) => task.epoch),
    of((task) => task.worker_id),
    of((task) => task.worker),
    of((task) => task.spec.wall),
    of((task) => agentOf(task.spec)),
    begun.map(({ line }) => line),
    begun.map(({ loop }) => (loop === null ? null : JSON.stringify(loop.model))),
    begun.map(({ loop }) => loop?.tier ?? null),
    begun.map(({ loop }) => (loop?.gatewayToken == null ? null : hashOf(loop.gatewayToken))),
    begun.map(({ loop }) => loop?.budgetMicroUsd ?? null),
  ])
}

const startRuns = {
  name: 'runs_start_all',
  text: `insert into runs (workspace_id, id, task_id, attempt, epoch, worker_id, worker, wall, agent, executor, line, model,
           tier, gateway_token_hash, budget_microusd)
         select $1, r.id, r.task_id, r.attempt, r.epoch, r.worker_id, r.worker, r.wall, r.agent, r.agent, r.line, r.model,
           r.tier, r.token_hash, r.budget
         from unnest($2::uuid[], $3::uuid[], $4::int[], $5::int[], $6::uuid[], $7::text[], $8::text[], $9::text[],
           $10::uuid[], $11::jsonb[], $12::text[], $13::bytea[], $14::bigint[])
           as r (id, task_id, attempt, epoch, worker_id, worker, wall, agent, line, model, tier, token_hash, budget)`,
}

/** Everything that is kept of the runs of a task, before the task itself is removed. */
export async function removeOf(tx: Tx, taskId: string): Promise<void> {
  await removeSteps(tx, taskId)
  await tx.query('delete from run_output where task_id = $1', [taskId])
  await tx.query('delete from runs where task_id = $1', [taskId])
}

export async function find(tx: Tx, id: string): Promise<RunRow | undefined> {
  return (
    await tx.query<RunRow>({ name: 'runs_by_id', text: `select ${columns} from runs where id = $1` }, [id])
  )[0]
}

export function findAll(tx: Tx, ids: string[]): Promise<RunRow[]> {
  return tx.query<RunRow>(byIds, [ids])
}

const byIds = { name: 'runs_by_ids', text: `select ${columns} from runs where id = any($1::uuid[])` }

export async function setPhase(tx: Tx, taskId: string, epoch: number, phase: string): Promise<void> {
  await tx.query(
    { name: 'runs_phase', text: 'update runs set phase = $3 where task_id = $1 and epoch = $2' },
    [taskId, epoch, phase],
  )
}

export type Grant = { runId: string | null; taskId: string; epoch: number; commit: string; branch: string }

/**
 * The commits and branches that runs were allowed to put into the person's repository. Found by their ids, because many
 * are found quickly only by the key (tasks/sql/fence.ts); that they are of these leases is said beside it.
 */
export async function grantAll(tx: Tx, workspaceId: string, grants: Grant[]): Promise<void> {
  await tx.query(grantRuns, [
    workspaceId,
    grants.map((each) => each.taskId),
    grants.map((each) => each.epoch),
    grants.map((each) => each.commit),
    grants.map((each) => each.branch),
    grants.map((each) => each.runId),
  ])
}

const grantRuns = {
  name: 'runs_grant',
  text: `update runs r set commit = g.commit, branch = g.branch
         from rows from (unnest($2::uuid[]), unnest($3::int[]), unnest($4::text[]), unnest($5::text[]),
           unnest($6::uuid[]), jsonb_array_elements('[]')) as g (task_id, epoch, commit, branch, run_id, nothing)
         where r.workspace_id = $1 and r.id = any($6) and r.id = g.run_id
           and (r.task_id, r.epoch) is not distinct from (g.task_id, g.epoch)`,
}

export type Finished = { runId: string; result: RunResult }

export async function finish(tx: Tx, workspaceId: string, runId: string, result: RunResult): Promise<void> {
  await finishAll(tx, workspaceId, [{ runId, result }])
}

export async function finishAll(tx: Tx, workspaceId: string, finished: Finished[]): Promise<void> {
  const rows = finished.map(({ runId, result }) => ({ id: runId, ...result }))
  await tx.query(finishRuns, [workspaceId, JSON.stringify(rows), rows.map((row) => row.id)])
}

const finishRuns = {
  name: 'runs_finish',
  text: `update runs r
         set ending = f.ending, reason = f.reason, exit_code = f."exitCode", base = f.base, commit = f.commit,
           branch = f.branch, report = f.report, diff = f.diff, diff_truncated = f."diffTruncated",
           partial = f.partial, ended_at = now(), phase = null
         from jsonb_to_recordset($2::jsonb) as f (id uuid, ending text, reason text, "exitCode" int, base text,
           commit text, branch text, report jsonb, diff text, "diffTruncated" boolean, partial jsonb)
         where r.workspace_id = $1 and r.id = any($3::uuid[]) and r.id = f.id`,
}

/** Ends the run of a task at or below this epoch that never said how it ended. */
export async function endOpen(
  tx: Tx,
  run: { workspaceId: string; taskId: string; epoch: number; ending: Ending; reason: string },
): Promise<void> {
  await tx.query(
    {
      name: 'runs_end_open',
      text: `update runs set ending = $4, reason = $5, ended_at = now(), phase = null
             where workspace_id = $1 and task_id = $2 and epoch <= $3 and ending is null`,
    },
    [run.workspaceId, run.taskId, run.epoch, run.ending, run.reason],
  )
}

export type Evidence = { taskId: string; runId: string; commit: string; report: Report }

export async function insertEvidence(tx: Tx, workspaceId: string, all: Evidence[]): Promise<void> {
  if (all.length === 0) return
  await tx.query(insertProofs, [workspaceId, JSON.stringify(all)])
}

const insertProofs = {
  name: 'runs_insert_evidence',
  text: `insert into evidence (workspace_id, task_id, run_id, commit, report)
         select $1, e."taskId", e."runId", e.commit, e.report
         from jsonb_to_recordset($2::jsonb) as e ("taskId" uuid, "runId" uuid, commit text, report jsonb)`,
}

export function ofTask(tx: Tx, taskId: string): Promise<RunRow[]> {
  return tx.query<RunRow>(`select ${columns} from runs where task_id = $1 order by id desc limit 100`, [
    taskId,
  ])
}

export function list(tx: Tx, before: string, limit: number): Promise<RunRow[]> {
  return tx.query<RunRow>(`select ${columns} from runs where id < $1 order by id desc limit $2`, [
    before,
    limit,
  ])
}

export async function lastDiff(tx: Tx, taskId: string) {
  const rows = await tx.query<{
    base: string | null
    commit: string | null
    branch: string | null
    diff: string | null
    diff_truncated: boolean
  }>(
    `select base, commit, branch, diff, diff_truncated from runs
     where task_id = $1 and diff is not null order by id desc limit 1`,
    [taskId],
  )
  return rows[0]
}

export async function appendOutput(
  tx: Tx,
  output: {
    workspaceId: string
    taskId: string
    epoch: number
    batch: number
    chunks: { stream: string; text: string }[]
  },
): Promise<void> {
  await tx.query(
    {
      name: 'runs_append_output',
      text: `insert into run_output (workspace_id, task_id, run_id, batch, part, stream, text)
             select $1, $2, r.id, $4, chunk.part, chunk.stream, chunk.text
             from runs r, unnest($5::text[], $6::text[]) with ordinality as chunk (stream, text, part)
             where r.workspace_id = $1 and r.task_id = $2 and r.epoch = $3 order by chunk.part
             on conflict (workspace_id, run_id, batch, part) do nothing`,
    },
    [
      output.workspaceId,
      output.taskId,
      output.epoch,
      output.batch,
      output.chunks.map((chunk) => chunk.stream),
      output.chunks.map((chunk) => chunk.text.replaceAll('\0', '\uFFFD')),
    ],
  )
}

export async function readOutput(
  tx: Tx,
  taskId: string,
  after: number,
  limit: number,
): Promise<OutputChunk[]> {
  const rows = await tx.query<{
    seq: string
    run_id: string
    stream: OutputChunk['stream']
    text: string
    at: Date
  }>(
    {
      name: 'runs_read_output',
      text: `select seq, run_id, stream, text, at from run_output
             where task_id = $1 and seq > $2 order by seq limit $3`,
    },
    [taskId, after, limit],
  )
  return rows.map((row) => ({
    seq: Number(row.seq),
    runId: row.run_id,
    stream: row.stream,
    text: row.text,
    at: row.at.toISOString(),
  }))
}

export function toRun(row: RunRow): Run {
  return {
    id: row.id,
    taskId: row.task_id,
    attempt: row.attempt,
    epoch: row.epoch,
    worker: row.worker,
    agent: row.agent,
    wall: row.wall,
    executor: row.executor,
    model: row.model,
    line: row.line,
    steps: row.steps,
    inputTokens: Number(row.input_tokens),
    outputTokens: Number(row.output_tokens),
    costMicroUsd: Number(row.cost_microusd),
    savedMicroUsd: Number(row.saved_microusd),
    partial: row.partial,
    phase: row.phase,
    ending: row.ending,
    reason: row.reason,
    exitCode: row.exit_code,
    base: row.base,
    commit: row.commit,
    branch: row.branch,
    report: row.report,
    startedAt: row.started_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
  }
}
