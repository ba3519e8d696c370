import type { StepSaid } from '@muster/contract/loop'
import { beforeEach, expect, test } from 'vitest'
import { openRooms, type Rooms, type TestWorker } from '../../test-support/rooms.ts'
import type { RunMessage } from '../agents/socket.ts'

let rooms: Rooms
let worker: TestWorker
beforeEach(async () => {
  rooms = await openRooms()
  worker = await rooms.worker('one')
})

const script = JSON.stringify({ turns: [{ say: 'Done.' }] })
const submit = () => rooms.submit({ run: undefined, prompt: 'Do it', practice: script })
type Claimed = NonNullable<Awaited<ReturnType<Rooms['claim']>>>

async function claimed(by = worker): Promise<Claimed> {
  const run = await rooms.claim(by)
  if (run === undefined) throw new Error('nothing was assigned')
  return run
}

const usage = { inputTokens: 100, outputTokens: 10, cacheReadTokens: 0, cacheWriteTokens: 0, estimated: true }
const said = (seq: number, more: Partial<StepSaid> = {}): StepSaid => ({
  seq,
  kind: 'tool',
  model: 'practice',
  provider: 'practice',
  tool: 'run_command',
  args: '{"command":"true"}',
  result: 'ok',
  text: '',
  success: true,
  code: null,
  usage: null,
  ms: 1,
  ...more,
})
type StepMessage = Extract<RunMessage, { type: 'step' }>
const stepOf = (
  { taskId, epoch }: Claimed,
  step: StepSaid,
  more: Partial<StepMessage> = {},
): StepMessage => ({
  type: 'step',
  id: 1,
  taskId,
  epoch,
  step,
  messages: [{ role: 'user', text: `message of step ${step.seq}` }],
  state: { steps: step.seq },
  workspace: null,
  ...more,
})
const say = (run: Claimed, step: StepSaid, more: Partial<StepMessage> = {}, by = worker) =>
  rooms.say(by, stepOf(run, step, more))
const resume = async ({ taskId, epoch }: Claimed, by = worker) =>
  (await rooms.say(by, { type: 'resume', id: 2, taskId, epoch })).checkpoint
const events = (kind: string) =>
  rooms.sql<{ data: Record<string, unknown> }>('select data from events where kind = $1 order by txid, seq', [
    kind,
  ])
const loseLease = async () => {
  await rooms.sql(
    `update task_queue set lease_expires_at = now() - interval '1 s' where worker_id is not null`,
  )
  await rooms.runs.sweep()
}

test('a step is recorded with its event, counted, and one that is sent twice is the same', async () => {
  await submit()
  const run = await claimed()
  const step = said(1, { kind: 'model', tool: null, usage, args: 'x'.repeat(400), result: 'y'.repeat(400) })
  await say(run, step)
  await say(run, step)
  await say(run, said(2))
  const steps = await rooms.sql<{ seq: number; kind: string }>('select seq, kind from steps order by seq')
  expect(steps).toEqual([
    { seq: 1, kind: 'model' },
    { seq: 2, kind: 'tool' },
  ])
  const told = await events('run.step')
  expect(told.map(({ data }) => data['seq'])).toEqual([1, 2])
  expect(String(told[0]?.data['args'])).toHaveLength(200)
  expect(String(told[0]?.data['result'])).toHaveLength(100)
  expect(await rooms.sql('select steps, input_tokens, output_tokens from runs')).toEqual([
    { steps: 2, input_tokens: '100', output_tokens: '10' },
  ])
  // A rehearsal is in the ledger, costs nothing and saves nothing.
  expect(await rooms.sql('select cost_class, cost_microusd, saved_microusd from calls')).toEqual([
    { cost_class: 'free', cost_microusd: '0', saved_microusd: '0' },
  ])
})

test('a step that comes before its turn is refused and nothing of it stays', async () => {
  await submit()
  const run = await claimed()
  await expect(say(run, said(2))).rejects.toMatchObject({ code: 'protocol_violation' })
  expect(await rooms.sql('select 1 from steps')).toEqual([])
  expect(await rooms.sql('select 1 from checkpoints')).toEqual([])
  expect(await events('run.step')).toEqual([])
})

test('steps of a run whose lease is gone, and of one that works without a model, are refused', async () => {
  await submit()
  const lost = await claimed()
  await say(lost, said(1))
  await loseLease()
  await expect(say(lost, said(2))).rejects.toMatchObject({ code: 'stale_epoch' })
  expect(await rooms.sql('select seq from steps')).toEqual([{ seq: 1 }])

  const other = await rooms.worker('two')
  await claimed(other)
  await rooms.submit({ run: 'true' })
  const shell = await claimed(other)
  await expect(say(shell, said(1), {}, other)).rejects.toMatchObject({ code: 'protocol_violation' })
  await expect(resume(shell, other)).rejects.toMatchObject({ code: 'protocol_violation' })
})

test('the run after a lost one goes on with its conversation, its counts and its files', async () => {
  await submit()
  const first = await claimed()
  const files = {
    base: 'a'.repeat(40),
    commit: 'b'.repeat(40),
    bundle: Buffer.from('pack').toString('base64'),
  }
  await say(first, said(1), { workspace: files })
  await say(first, said(2), { messages: [{ role: 'user', text: 'two\0' }] })
  await loseLease()

  const other = await rooms.worker('two')
  const second = await claimed(other)
  const [sent] = other.sent as { assignment: { loop: { resumeSteps: number } } }[]
  expect(sent?.assignment.loop.resumeSteps).toBe(2)
  const checkpoint = await resume(second, other)
  expect(checkpoint).toMatchObject({ steps: 2, state: { steps: 2 }, workspace: files })
  expect(checkpoint?.messages.map((message) => message.text)).toEqual(['message of step 1', 'two\uFFFD'])
  await say(second, said(3), {}, other)
  const rows = await rooms.sql<{ seq: number; run_id: string }>('select seq, run_id from steps order by seq')
  expect(rows.map((row) => row.run_id)).toEqual([first.runId, first.runId, second.runId])
  expect((await events('run.resumed')).map(({ data }) => data['steps'])).toEqual([2])
})

test('the run after one that failed by itself begins anew, and its files are none of the old ones', async () => {
  await submit().then(({ id }) => rooms.sql('update tasks set retries = 3 where id = $1', [id]))
  const first = await claimed()
  const files = { base: 'a'.repeat(40), commit: 'b'.repeat(40), bundle: 'cGFjaw==' }
  await say(first, said(1), { workspace: files })
  await rooms.say(worker, { type: 'finish', id: 3, ...first, result: failed })
  await rooms.sql(`update task_queue set not_before = '-infinity'`)
  const second = await claimed()
  const assignments = worker.sent as { assignment: { loop: { resumeSteps: number } } }[]
  expect(assignments.at(-1)?.assignment.loop.resumeSteps).toBe(0)
  await say(second, said(1))
  expect(await rooms.sql('select line, commit, bundle from checkpoints')).toEqual([
    { line: second.runId, commit: null, bundle: null },
  ])
  // What the first one did stays to be read.
  expect(await rooms.sql('select count(*)::int as n from steps')).toEqual([{ n: 2 }])
})

test('a parked task waits as long as it was said, and neither a failure nor a loss is held against it', async () => {
  const { id } = await submit()
  const run = await claimed()
  await say(run, said(1))
  const park = { type: 'park' as const, id: 4, taskId: run.taskId, epoch: run.epoch }
  await rooms.say(worker, { ...park, delayMs: 3_600_000, reason: 'The quota is used up.' })
  const waiting = await rooms.get(id)
  expect(waiting).toMatchObject({ state: 'queued', failures: 0 })
  expect(Date.parse(waiting.notBefore ?? '') - Date.now()).toBeGreaterThan(3_500_000)
  expect(await rooms.sql('select losses from tasks')).toEqual([{ losses: 0 }])
  expect(await rooms.claim(worker)).toBeUndefined()
  await rooms.sql(`update task_queue set not_before = '-infinity'`)
  const next = await claimed()
  expect((await resume(next))?.steps).toBe(1)
})

test('nothing to go on with is kept of a task that has ended, and what its agent did is', async () => {
  const { id } = await submit()
  const run = await claimed()
  await say(run, said(1))
  await rooms.say(worker, { type: 'finish', id: 5, ...run, result: failed })
  expect((await rooms.get(id)).state).toBe('dead')
  expect(await rooms.sql('select 1 from checkpoints')).toEqual([])
  expect(await rooms.sql('select seq from steps')).toEqual([{ seq: 1 }])
  await rooms.inWorkspace((tx) => rooms.runs.remove(tx, rooms.person, id))
  expect(await rooms.sql('select 1 from steps')).toEqual([])
})

const failed = {
  ending: 'execution_failed' as const,
  reason: 'A check did not pass.',
  exitCode: null,
  base: null,
  commit: null,
  branch: null,
  report: null,
  diff: '',
  diffTruncated: false,
}
