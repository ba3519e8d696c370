import type { ChosenModel, Checkpoint, Step, StepSaid, Usage, WorkspaceState } from '@muster/contract/loop'
import type { Tier } from '@muster/contract/task-states'
import type { Tx } from '../kernel/db.ts'

/** A run that works with a model, as its steps need it. */
export type OpenRun = {
  id: string
  line: string | null
  model: ChosenModel | null
  tier: Tier | null
  worker: string
}

/** The run of this lease; the caller holds it. */
export async function openRun(tx: Tx, taskId: string, epoch: number): Promise<OpenRun | undefined> {
  return (await tx.query<OpenRun>(openOf, [taskId, epoch]))[0]
}

const openOf = {
  name: 'steps_open_run',
  text: 'select id, line, model, tier, worker from runs where task_id = $1 and epoch = $2 and ending is null',
}

/** How many steps of this line are recorded; none when the checkpoint is of an older line. */
export async function stepsOf(tx: Tx, taskId: string, line: string): Promise<number> {
  const rows = await tx.query<{ steps: number }>(recorded, [taskId, line])
  return rows[0]?.steps ?? 0
}

const recorded = {
  name: 'steps_recorded',
  text: 'select steps from checkpoints where task_id = $1 and line = $2',
}

export type NewStep = {
  workspaceId: string
  taskId: string
  runId: string
  line: string
  model: ChosenModel | null
  step: StepSaid
  messages: unknown[]
  costMicroUsd: number
}

export async function insert(tx: Tx, each: NewStep): Promise<void> {
  const { step } = each
  await tx.query(insertStep, [
    each.workspaceId,
    each.line,
    step.seq,
    each.runId,
    each.taskId,
    step.kind,
    step.model,
    step.provider,
    step.kind === 'model' ? (each.model?.endpoint ?? null) : null,
    step.tool,
    clean(step.args),
    clean(step.result),
    clean(step.text),
    step.success,
    step.code,
    step.usage === null ? null : JSON.stringify(step.usage),
    each.costMicroUsd,
    step.ms,
    storable(each.messages),
  ])
}

const insertStep = {
  name: 'steps_insert',
  text: `insert into steps (workspace_id, line, seq, run_id, task_id, kind, model, provider, endpoint, tool, args, result,
           text, success, code, usage, cost_microusd, ms, messages)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::jsonb, $17, $18, $19::jsonb)`,
}

/** PostgreSQL can store NUL neither in text nor in jsonb. */
const clean = (text: string): string => text.replaceAll('\0', '\uFFFD').toWellFormed()
function storable(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? clean(part) : part))
}

export type Kept = {
  workspaceId: string
  taskId: string
  line: string
  steps: number
  state: Record<string, unknown>
  /** Null: the files are as they were at the step before. */
  workspace: WorkspaceState | null
}

/** Moves the checkpoint of a task on. One of an older line is replaced, with its files. */
export async function keep(tx: Tx, kept: Kept): Promise<void> {
  const { workspace } = kept
  const bundle = workspace?.bundle == null ? null : Buffer.from(workspace.bundle, 'base64')
  await tx.query(keepCheckpoint, [
    kept.workspaceId,
    kept.taskId,
    kept.line,
    kept.steps,
    storable(kept.state),
    workspace?.base ?? null,
    workspace?.commit ?? null,
    bundle,
    workspace !== null,
  ])
}

const keepCheckpoint = {
  name: 'steps_keep_checkpoint',
  text: `insert into checkpoints as c (workspace_id, task_id, line, steps, state, base, commit, bundle)
         values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8)
         on conflict (workspace_id, task_id) do update
         set line = $3, steps = $4, state = $5::jsonb, at = now(),
             base = case when $9 or c.line <> $3 then $6 else c.base end,
             commit = case when $9 or c.line <> $3 then $7 else c.commit end,
             bundle = case when $9 or c.line <> $3 then $8 else c.bundle end`,
}

export async function countIn(tx: Tx, runId: string, usage: Usage | null, saved: number): Promise<void> {
  await tx.query(count, [runId, usage?.inputTokens ?? 0, usage?.outputTokens ?? 0, saved])
}

const count = {
  name: 'steps_count',
  text: `update runs set steps = steps + 1, input_tokens = input_tokens + $2, output_tokens = output_tokens + $3,
           saved_microusd = saved_microusd + $4
         where id = $1`,
}

/** What a run that goes on with this line needs. */
export async function readCheckpoint(tx: Tx, taskId: string, line: string): Promise<Checkpoint | null> {
  const [row] = await tx.query<{
    steps: number
    state: Record<string, unknown>
    base: string | null
    commit: string | null
    bundle: Buffer | null
  }>(`select steps, state, base, commit, bundle from checkpoints where task_id = $1 and line = $2`, [
    taskId,
    line,
  ])
  if (row === undefined) return null
  const said = await tx.query<{ messages: Checkpoint['messages'] }>(
    'select messages from steps where line = $1 order by seq',
    [line],
  )
  const { steps, state, base, commit, bundle } = row
  const workspace =
    base === null || commit === null
      ? null
      : { base, commit, bundle: bundle === null ? null : bundle.toString('base64') }
  return { steps, state, workspace, messages: said.flatMap(({ messages }) => messages) }
}

/** A run begins a line of its own after all. */
export async function beginLine(tx: Tx, runId: string): Promise<void> {
  await tx.query('update runs set line = id where id = $1', [runId])
}

export type Line = { task_id: string; line: string; steps: number }

/**
 * Lines of work that may be gone on with: the last run of the task did not end by itself, but was lost or gave the task
 * back. After any other end the next run begins anew.
 */
export function openLines(tx: Tx, taskIds: string[]): Promise<Line[]> {
  return tx.query<Line>(linesOf, [taskIds])
}

const linesOf = {
  name: 'steps_open_lines',
  text: `select c.task_id, c.line, c.steps from checkpoints c
         where c.task_id = any($1::uuid[])
           and (select r.ending from runs r where r.task_id = c.task_id order by r.epoch desc limit 1)
               in ('lost', 'refused')`,
}

/** Nobody will go on with these any more. The steps stay for people to read. */
export async function closeLines(tx: Tx, taskIds: string[]): Promise<void> {
  if (taskIds.length > 0) await tx.query(close, [taskIds])
}

const close = {
  name: 'steps_close_lines',
  text: 'delete from checkpoints where task_id = any($1::uuid[])',
}

export async function removeOf(tx: Tx, taskId: string): Promise<void> {
  await tx.query('delete from checkpoints where task_id = $1', [taskId])
  await tx.query('delete from steps where run_id in (select id from runs where task_id = $1)', [taskId])
}

export async function read(
  tx: Tx,
  query: { taskId: string; run: string | null; after: number; limit: number },
): Promise<Step[]> {
  const rows = await tx.query<StepRow>(
    `select run_id, seq, kind, model, provider, endpoint, tool, args, result, text, success, code, usage,
       cost_microusd, ms, at
     from steps
     where line = (select line from runs where task_id = $1 and line is not null and ($2::uuid is null or id = $2)
                   order by epoch desc limit 1) and seq > $3
     order by seq limit $4`,
    [query.taskId, query.run, query.after, query.limit],
  )
  return rows.map(({ run_id: runId, cost_microusd: cost, at, ...row }) => ({
    ...row,
    runId,
    costMicroUsd: Number(cost),
    at: at.toISOString(),
  }))
}

type StepRow = Omit<Step, 'runId' | 'costMicroUsd' | 'at'> & {
  run_id: string
  cost_microusd: string
  at: Date
}
