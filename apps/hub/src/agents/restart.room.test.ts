import { eventually } from '@muster/testkit/eventually'
import { expect, test } from 'vitest'
import { refusal } from '../../test-support/http.ts'
import { addRepo, startHub } from '../../test-support/hub.ts'

const systemd = { kind: 'systemd', name: 'muster-worker.service', restarts: 2, memoryBytes: 1 } as const
const announcement = {
  type: 'restarting',
  cause: 'order',
  reason: 'ordered by test',
  graceMs: 60_000,
} as const
const task = { repo: 'demo', title: 'Wait', run: 'true' }

async function hubWithWorker(options: Parameters<Awaited<ReturnType<typeof startHub>>['worker']>[0] = {}) {
  const hub = await startHub()
  await addRepo(hub.database, hub.workspaceId)
  const token = await hub.workerToken('box')
  const worker = await hub.worker({ token, supervisor: systemd, ...options })
  const order = (body: object = {}) => hub.attempt('restartWorker', { params: { worker: 'box' }, body })
  const show = () => hub.call('getWorker', { params: { worker: 'box' } })
  const kinds = async () => (await hub.call('listEvents')).items.map((event) => event.kind)
  return { hub, token, worker, order, show, kinds }
}

test('an order to restart reaches the worker, and is answered when it has announced that', async () => {
  const { hub, token, worker, order, show, kinds } = await hubWithWorker()
  let answered = false
  const asked = order({ force: true }).finally(() => (answered = true))
  expect(await worker.toldToRestart()).toMatchObject({ force: true })
  expect(answered).toBe(false)
  await worker.request(announcement)
  expect(await asked).toMatchObject({ status: 200, body: { name: 'box', restarting: true } })
  expect(await kinds()).toEqual(expect.arrayContaining(['worker.restart_ordered', 'worker.restarting']))
  await worker.close()
  await hub.worker({ token, supervisor: systemd })
  expect(await show()).toMatchObject({ connected: true, restarting: false, supervisor: systemd })
})

test('a worker that restarts is given no task until it is back', async () => {
  const { hub, token, worker } = await hubWithWorker()
  await worker.request(announcement)
  const made = await hub.call('createTask', { body: task })
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect((await hub.call('getTask', { params: { task: made.id } })).state).toBe('queued')
  await worker.close()
  const again = await hub.worker({ token, supervisor: systemd })
  expect((await again.assigned()).taskId).toBe(made.id)
})

test('an order to a worker that nobody would start again, that is away, or that is not known is refused', async () => {
  const { hub, token, worker, order, show } = await hubWithWorker({ supervisor: { kind: 'none' } })
  expect(refusal(await order())).toEqual({ status: 409, code: 'worker_not_supervised' })
  await worker.close()
  await eventually(async () => !(await show()).connected)
  expect(refusal(await order())).toEqual({ status: 409, code: 'worker_not_connected' })
  const nobody = await hub.attempt('restartWorker', { params: { worker: 'nobody' } })
  expect(refusal(nobody)).toEqual({ status: 404, code: 'not_found' })
  const silent = await hub.worker({ token })
  expect(refusal(await order())).toEqual({ status: 409, code: 'worker_not_supervised' })
  expect(silent.received.filter((message) => message.type === 'restart')).toEqual([])
})

test('an order that the worker does not answer within 10 s is refused and void', async () => {
  const { hub, worker, order } = await hubWithWorker()
  expect(refusal(await order())).toEqual({ status: 504, code: 'worker_not_answering' })
  expect(await hub.sql('select restart_order from workers where restart_order is not null')).toEqual([])
  expect(worker.received.filter((message) => message.type === 'restart')).toHaveLength(1)
})

test('an order is passed on by the hub that holds the socket, also when another was asked', async () => {
  const { hub, worker } = await hubWithWorker()
  const other = await startHub({ database: hub.database })
  const asked = other.attempt('restartWorker', { params: { worker: 'box' }, token: hub.ownerToken })
  await worker.toldToRestart()
  await worker.request(announcement)
  expect((await asked).status).toBe(200)
})

test('a worker with a full disk is given no task until it has room again, and each change is told once', async () => {
  const blocked = { code: 'disk_full', reason: '0.2 GB are free' } as const
  const { hub, worker, show, kinds } = await hubWithWorker({ blocked })
  expect(await show()).toMatchObject({ blocked })
  const made = await hub.call('createTask', { body: task })
  await worker.request({ type: 'condition', supervisor: systemd, blocked })
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect((await hub.call('getTask', { params: { task: made.id } })).state).toBe('queued')
  await worker.request({ type: 'condition', supervisor: { ...systemd, memoryBytes: 7 }, blocked: null })
  expect((await worker.assigned()).taskId).toBe(made.id)
  expect(await show()).toMatchObject({ blocked: null, supervisor: { memoryBytes: 7 } })
  const said = (await kinds()).filter((kind) => /^worker\.(un)?blocked$/.test(kind))
  expect(said).toEqual(['worker.blocked', 'worker.unblocked'])
})
