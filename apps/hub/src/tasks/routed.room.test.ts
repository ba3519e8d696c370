import { expect, test } from 'vitest'
import type { TaskCreateInput } from '@muster/contract/tasks'
import { startModelServer } from '../../test-support/model-server.ts'
import { openRooms, type Rooms, type TestWorker } from '../../test-support/rooms.ts'

const qwen = { name: 'qwen3:8b', warm: true }
const prompt = (more: Partial<TaskCreateInput> = {}): Partial<TaskCreateInput> =>
  ({ run: undefined, prompt: 'Do it.', tier: 'standard', ...more }) as Partial<TaskCreateInput>

/** A hub with one endpoint beside it that was asked, and a worker beside it. */
async function withModels(models: Parameters<typeof startModelServer>[0], slots = 8) {
  const ollama = await startModelServer(models)
  const rooms = await openRooms({ models: { ollamaUrl: ollama.url } })
  await rooms.models.care()
  const worker = await rooms.worker('local', slots)
  await rooms.sql(`update workers set supervisor = '{"kind":"up"}'`)
  rooms.agents.connections.add(worker.connection)
  return { ollama, rooms, worker }
}
const given = ({ sent }: TestWorker) =>
  sent as { type: string; assignment: { taskId: string; loop: Loop | null } }[]
type Loop = { model: { name: string; endpoint: string; url: string; via: string } }
const waitLonger = (rooms: Rooms) =>
  rooms.sql(`update task_queue set enqueued_at = enqueued_at - interval '6 seconds'`)

test('a prompt is given away together with a model, and the decision says which and why', async () => {
  const { ollama, rooms, worker } = await withModels([qwen])
  const { id } = await rooms.submit(prompt())
  await rooms.assign()
  expect(given(worker)).toMatchObject([
    {
      type: 'assign',
      assignment: {
        taskId: id,
        loop: {
          model: { name: 'qwen3:8b', endpoint: 'ollama', url: ollama.url, via: 'direct', costClass: 'local' },
        },
      },
    },
  ])
  const task = await rooms.get(id)
  expect(task.reason).toBe(
    'Given to local: it was the only worker with a free slot. Model: qwen3:8b on ollama: warm.',
  )
  expect(task.assigned).toMatchObject({
    model: { name: 'qwen3:8b', endpoint: 'ollama' },
    routing: {
      wanted: 'standard',
      tier: 'standard',
      fallback: null,
      costClass: 'local',
      reason: 'qwen3:8b on ollama: warm',
      candidates: [{ endpoint: 'ollama', model: 'qwen3:8b', why: 'chosen' }],
    },
  })
})

test('a prompt without a model waits, says for what, and holds up no command behind it', async () => {
  const { rooms, worker } = await withModels([], 2)
  const prompts = [
    await rooms.submit(prompt()),
    await rooms.submit(prompt({ model: 'mistral:7b' })),
    await rooms.submit(prompt()),
  ]
  const command = await rooms.submit({ run: 'true' })
  await waitLonger(rooms)
  await rooms.assign()
  expect(given(worker).map(({ assignment }) => assignment.taskId)).toEqual([command.id])
  const [first, named] = [await rooms.get(prompts[0]?.id ?? ''), await rooms.get(prompts[1]?.id ?? '')]
  expect(first.reason).toBe(
    'Waits for a model for standard tasks; no endpoint has one (npx muster model list).',
  )
  expect(named.reason).toBe(
    'Waits for the model mistral:7b, which no endpoint has; for Ollama: ollama pull mistral:7b.',
  )
  const { missing } = await rooms.inWorkspace((tx) => rooms.models.list(tx, rooms.tasks.wantedModels))
  expect(missing).toEqual([
    { name: 'mistral:7b', wantedBy: '1 waiting task', command: 'ollama pull mistral:7b' },
  ])
})

test('a tier without an endpoint is waited for 5 s; then the next tier is taken and that is recorded', async () => {
  const { rooms, worker } = await withModels([qwen])
  const { id } = await rooms.submit(prompt({ tier: 'complex' }))
  await rooms.assign()
  expect(given(worker)).toEqual([])
  expect((await rooms.get(id)).reason).toMatch(
    /^Waits for an endpoint with a complex model; another tier is tried in [1-5] s\.$/,
  )
  await waitLonger(rooms)
  await rooms.assign()
  expect(given(worker)).toHaveLength(1)
  const { reason, assigned } = await rooms.get(id)
  expect(reason).toMatch(/Model: qwen3:8b on ollama: warm; the complex tier had no endpoint for 5 s\.$/)
  expect(assigned?.routing).toMatchObject({
    wanted: 'complex',
    tier: 'standard',
    fallback: { from: 'complex', why: 'the complex tier had no endpoint for 5 s' },
  })
})

test('no endpoint gets more runs than it may, and a run that ends makes room', async () => {
  const { rooms, worker } = await withModels([qwen])
  await rooms.sql('update endpoints set run_limit = 2')
  const tasks = [await rooms.submit(prompt()), await rooms.submit(prompt()), await rooms.submit(prompt())]
  const command = await rooms.submit({ run: 'true' })
  await rooms.assign()
  expect(given(worker).map(({ assignment }) => assignment.taskId)).toEqual([
    tasks[0]?.id,
    tasks[1]?.id,
    command.id,
  ])
  const last = tasks[2]?.id ?? ''
  expect((await rooms.get(last)).reason).toBe('Waits for a turn on ollama, which has 2 of at most 2 runs.')
  await rooms.cancel(tasks[0]?.id ?? '')
  await rooms.assign()
  expect(given(worker).at(-1)?.assignment.taskId).toBe(last)
})

test('a model is found by its name whether or not its tag is said, and only that one is given', async () => {
  const { rooms, worker } = await withModels([{ name: 'mistral:latest' }, qwen])
  const named = await rooms.submit(prompt({ model: 'mistral' }))
  await rooms.assign()
  expect(given(worker)).toMatchObject([
    { assignment: { taskId: named.id, loop: { model: { name: 'mistral:latest' } } } },
  ])
})

test('a worker on another machine asks an endpoint beside the hub through the hub', async () => {
  const { rooms, worker } = await withModels([qwen])
  await rooms.sql(`update workers set supervisor = null, host = 'box-2 (linux x64, 8 cores)'`)
  await rooms.submit(prompt())
  await rooms.assign()
  expect(given(worker)).toMatchObject([{ assignment: { loop: { model: { via: 'gateway', url: '/' } } } }])
})

test('the practice model needs no endpoint', async () => {
  const { rooms, worker } = await withModels([])
  const practice = JSON.stringify({ turns: [{ say: 'Done.' }] })
  const { id } = await rooms.submit(prompt({ practice }))
  await rooms.assign()
  expect(given(worker)).toMatchObject([
    { assignment: { taskId: id, loop: { model: { provider: 'practice' } } } },
  ])
})

test('a thousand prompts that nothing can be given to do not hide the command behind them', async () => {
  const { rooms, worker } = await withModels([], 1)
  await rooms.submit(prompt())
  await rooms.sql(`
    with made as (
      insert into tasks (workspace_id, id, repo_id, repo, title, spec, lane, tier, guessed_tier, state, retries, created_by)
      select workspace_id, gen_random_uuid(), repo_id, repo, title, spec, lane, tier, guessed_tier, state, retries, created_by
      from tasks, generate_series(1, 1000) returning workspace_id, id, repo_id)
    insert into task_queue (workspace_id, task_id, repo_id, lane, wall, timeout_ms, epoch, executor, tier)
    select workspace_id, id, repo_id, 2, 'namespace', 60000, 0, 'loop', 'standard' from made`)
  const command = await rooms.submit({ run: 'true', lane: 'low' })
  await rooms.assign()
  expect(given(worker).map(({ assignment }) => assignment.taskId)).toEqual([command.id])
})

test('an endpoint that fails a run is given to none for a while, longer each time, and its recovery is used', async () => {
  const { rooms, worker } = await withModels([qwen])
  const fail = (name: string) =>
    rooms.inWorkspace((tx) => rooms.models.reportFailure(tx, worker.actor, 'ollama', { class: name }))
  await fail('invalid_request')
  const pause = async () =>
    (
      await rooms.sql<{ ms: number }>(
        `select (extract(epoch from paused_until)::float8 - extract(epoch from now())::float8) * 1000 as ms from endpoints`,
      )
    )[0]?.ms ?? 0
  expect(await pause()).toBe(Number.NEGATIVE_INFINITY)
  await fail('cut_off')
  expect(await pause()).toBeLessThanOrEqual(5_000)
  // Another run that met the same outage.
  await fail('cut_off')
  expect(await pause()).toBeLessThanOrEqual(5_000)
  const { id } = await rooms.submit(prompt())
  await rooms.assign()
  expect(given(worker)).toEqual([])
  expect((await rooms.get(id)).reason).toContain('its endpoint failed runs and is paused')
  await rooms.sql(`update endpoints set paused_until = now() - interval '1 second'`)
  await rooms.assign()
  expect(given(worker)).toHaveLength(1)
  await fail('unavailable')
  expect(await pause()).toBeGreaterThan(5_000)
})
