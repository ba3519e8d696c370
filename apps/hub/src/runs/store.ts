import type { Report } from '@muster/contract/checks'
import type { OutputChunk, Run } from '@muster/contract/runs'
import type { Ending, RunPhase } from '@muster/contract/task-states'
import type { RunResult } from '@muster/contract/wire'
import type { Tx } from '../kernel/db.ts'

export type RunRow = {
  id: string
  task_id: string
  attempt: number
  epoch: number
  worker_id: string
  worker: string
  agent: string
  wall: string
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

const columns = `id, task_id, attempt, epoch, worker_id, worker, agent, wall, phase, ending, reason, exit_code, base,
  commit, branch, report, started_at, ended_at`

type Started = {
  id: string
  run_id: string
  attempt: number
  epoch: number
  worker_id: string
  worker: string
  spec: { wall: string }
}

/** One run for each task that was just leased. */
export async function startAll(tx: Tx, workspaceId: string, agent: string, tasks: Started[]): Promise<void> {
  await tx.query(startRuns, [
    workspaceId,
    agent,
    tasks.map((task) => task.run_id),
    tasks.map((task) => task.id),
    tasks.map((task) => task.attempt),
    tasks.map((task) => task.epoch),
    tasks.map((task) => task.worker_id),
    tasks.map((task) => task.worker),
    tasks.map((task) => task.spec.wall),
  ])
}

const startRuns = {
  name: 'runs_start_all',
  text: `insert into runs (workspace_id, agent, id, task_id, attempt, epoch, worker_id, worker, wall)
         select $1, $2, r.* from unnest($3::uuid[], $4::uuid[], $5::int[], $6::int[], $7::uuid[], $8::text[], $9::text[]) as r`,
}

/** Everything that is kept of the runs of a task, before the task itself is removed. */
export async function removeOf(tx: Tx, taskId: string): Promise<void> {
  await tx.query('delete from run_output where task_id = $1', [taskId])
  await tx.query('delete from runs where task_id = $1', [taskId])
}

export async function find(tx: Tx, id: string): Promise<RunRow | undefined> {
  return (
    await tx.query<RunRow>({ name: 'runs_by_id', text: `select ${columns} from runs where id = $1` }, [id])
  )[0]
}

export async function setPhase(tx: Tx, taskId: string, epoch: number, phase: string): Promise<void> {
  await tx.query(
    { name: 'runs_phase', text: 'update runs set phase = $3 where task_id = $1 and epoch = $2' },
    [taskId, epoch, phase],
  )
}

/** The commit and branch that this run was allowed to put into the person's repository. */
export async function grant(
  tx: Tx,
  taskId: string,
  epoch: number,
  commit: string,
  branch: string,
): Promise<void> {
  await tx.query(
    {
      name: 'runs_grant',
      text: 'update runs set commit = $3, branch = $4 where task_id = $1 and epoch = $2',
    },
    [taskId, epoch, commit, branch],
  )
}

export async function finish(tx: Tx, workspaceId: string, runId: string, result: RunResult): Promise<void> {
  await tx.query(
    {
      name: 'runs_finish',
      text: `update runs set ending = $3, reason = $4, exit_code = $5, base = $6, commit = $7, branch = $8, report = $9,
               diff = $10, diff_truncated = $11, ended_at = now(), phase = null
             where workspace_id = $1 and id = $2`,
    },
    [
      workspaceId,
      runId,
      result.ending,
      result.reason,
      result.exitCode,
      result.base,
      result.commit,
      result.branch,
      result.report === null ? null : JSON.stringify(result.report),
      result.diff,
      result.diffTruncated,
    ],
  )
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

export async function insertEvidence(
  tx: Tx,
  evidence: { workspaceId: string; taskId: string; runId: string; commit: string; report: Report },
): Promise<void> {
  await tx.query(
    'insert into evidence (workspace_id, task_id, run_id, commit, report) values ($1, $2, $3, $4, $5)',
    [evidence.workspaceId, evidence.taskId, evidence.runId, evidence.commit, JSON.stringify(evidence.report)],
  )
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
