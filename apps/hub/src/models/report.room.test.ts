import type { ModelList } from '@muster/contract/models'
import type { WorkerMessage } from '@muster/contract/wire'
import { eventually } from '@muster/testkit/eventually'
import { expect, test } from 'vitest'
import { startHub, type TestHub } from '../../test-support/hub.ts'
import { connectWorker } from '../../test-support/worker-client.ts'

type Report = Omit<Extract<WorkerMessage, { type: 'ollama_report' }>, 'id'>
const model = {
  name: 'qwen3:8b',
  digest: null,
  contextTokens: 40_960,
  capabilities: ['tools'],
  parameterSize: '8.2B',
  quantization: 'Q4_K_M',
  warm: true,
  vramBytes: 5_000,
  remote: false,
}
const report: Report = {
  type: 'ollama_report',
  url: 'http://127.0.0.1:11434',
  version: '0.31.0',
  models: [model],
  problem: null,
}
const supervisor = { kind: 'join' as const }
const resources = {
  cpuPercent: 29,
  cores: 8,
  ramTotalBytes: 32e9,
  ramFreeBytes: 16e9,
  vramTotalBytes: null,
  vramFreeBytes: null,
}

const own = ({ endpoints }: ModelList, name: string) => endpoints.find((each) => each.worker === name)
async function joined(hub: TestHub, name: string) {
  const worker = await connectWorker(hub.url, { token: await hub.workerToken(name) })
  const endpoint = async () => own(await hub.call('listModels'), name)
  return { ...worker, endpoint }
}

test('the Ollama of a worker is an endpoint of its own, and two workers have two at one address', async () => {
  const hub = await startHub()
  const [a, b] = [await joined(hub, 'box-a'), await joined(hub, 'box-b')]
  expect(await a.request(report)).toMatchObject({ ok: true })
  expect(await b.request({ ...report, models: [] })).toMatchObject({ ok: true })
  expect(await a.endpoint()).toMatchObject({
    name: 'box-a',
    source: 'worker',
    kind: 'ollama',
    health: 'healthy',
    cloud: false,
    version: '0.31.0',
    models: [{ name: 'qwen3:8b', tier: 'standard', warm: true, vramBytes: 5_000, unfit: null }],
  })
  expect(await b.endpoint()).toMatchObject({ name: 'box-b', url: report.url, models: [] })
  await a.request({ ...report, models: null, problem: 'nothing listens there' })
  expect(await a.endpoint()).toMatchObject({ health: 'healthy', failures: 1 })
  await a.request({ ...report, models: null, problem: 'nothing listens there' })
  expect(await a.endpoint()).toMatchObject({ health: 'unhealthy', error: 'nothing listens there' })
  await a.request(report)
  expect(await a.endpoint()).toMatchObject({ health: 'healthy', error: null })
})

test('a worker that has none, and one whose Ollama everybody knows already, makes no endpoint', async () => {
  const hub = await startHub()
  const worker = await joined(hub, 'box-a')
  await worker.request({ ...report, models: null, problem: 'nothing listens there' })
  expect(await worker.endpoint()).toBeUndefined()
  await hub.call('addEndpoint', {
    body: { name: 'shared', url: 'http://10.255.255.1:11434', kind: 'ollama' },
  })
  await worker.request({ ...report, url: 'http://10.255.255.1:11434' })
  expect(await worker.endpoint()).toBeUndefined()
})

test('an address that is none is refused, and so is a name of a model that is none; nothing is kept', async () => {
  const hub = await startHub()
  const worker = await joined(hub, 'box-a')
  const refused = await worker.request({ ...report, url: 'http://me:secret@127.0.0.1' })
  expect(refused).toMatchObject({ ok: false, error: { code: 'endpoint_url_refused' } })
  worker.post({ ...report, models: [{ ...model, name: 'a b' }] })
  expect(await worker.complaint()).toMatchObject({ code: 'invalid_message' })
  expect(await worker.endpoint()).toBeUndefined()
})

test('what a worker said more than 90 s ago is not known any more', async () => {
  const hub = await startHub()
  const worker = await joined(hub, 'box-a')
  await worker.request(report)
  await worker.request({ type: 'condition', supervisor, blocked: null, resources })
  const known = async () => (await hub.call('getWorker', { params: { worker: 'box-a' } })).resources
  expect(await known()).toEqual(resources)
  await hub.sql(`update workers set resources_at = now() - interval '91 seconds'`)
  await hub.sql(`update endpoints set checked_at = now() - interval '91 seconds' where source = 'worker'`)
  expect(await known()).toBeNull()
  const silent = await eventually(
    async () => ((each) => (each?.health === 'unhealthy' ? each : undefined))(await worker.endpoint()),
    { what: 'the endpoint of a silent worker is unhealthy' },
  )
  expect(silent.error).toBe('its worker has said nothing for 90 s')
})

test('a prompt is given to the worker that has the model, and the load of its machine is in the reason', async () => {
  const hub = await startHub()
  await hub.sql(
    `insert into repos (workspace_id, id, name, url) values ($1, gen_random_uuid(), 'demo', '/srv/demo')`,
    [hub.workspaceId],
  )
  const [without, having] = [await joined(hub, 'box-a'), await joined(hub, 'box-b')]
  await having.request({ type: 'condition', supervisor, blocked: null, resources })
  await having.request(report)
  const body = { repo: 'demo', title: 'A task', prompt: 'Do it.', tier: 'standard' }
  const task = await hub.call('createTask', { body })
  const assignment = await having.assigned()
  expect(assignment).toMatchObject({
    taskId: task.id,
    executor: 'loop',
    loop: { model: { name: 'qwen3:8b', endpoint: 'box-b', url: report.url, via: 'direct' } },
  })
  expect((await hub.call('getTask', { params: { task: task.id } })).assigned?.routing?.reason).toBe(
    'qwen3:8b on box-b: warm, 71 % CPU free',
  )
  expect(without.received.some((message) => message.type === 'assign')).toBe(false)
})
