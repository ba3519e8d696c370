import { quoted, withClient } from '@muster/testkit/databases'
import { testCluster } from '@muster/testkit/test-cluster'
import { expect, test } from 'vitest'
import { addRepo, addWorkspace, startHub, type TestHub } from '../../test-support/hub.ts'
import { refusal } from '../../test-support/http.ts'
import type { WorkerRequest } from '../../test-support/worker-client.ts'
import { issueLocalToken } from '../identity/first-start.ts'

/** The hub's roles can neither go on nor connect again, until the answered function is called. */
async function takeAway(hub: TestHub): Promise<() => Promise<void>> {
  const name = decodeURIComponent(new URL(hub.database.url).pathname.slice(1))
  const limit = (connections: number) =>
    withClient(testCluster().url, async (client) => {
      await client.query(`alter database ${quoted(name)} connection limit ${connections}`)
    })
  await limit(0)
  await hub.sql(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and usename in ('muster_app', 'muster_system')`)
  return () => limit(-1)
}

async function withOneRun() {
  const hub = await startHub()
  await addRepo(hub.database, hub.workspaceId)
  const worker = await hub.worker({ token: await hub.workerToken('box') })
  await hub.call('createTask', { body: { repo: 'demo', title: 't', run: 'true' } })
  const { taskId, epoch } = await worker.assigned()
  return { hub, worker, run: { taskId, epoch } }
}

const stops = (worker: { received: { type: string }[] }) =>
  worker.received.filter(({ type }) => type === 'stop').length

test('what a worker says while the database is away is refused as that, its connection stays, and said again it counts', async () => {
  const { hub, worker, run } = await withOneRun()
  const bringBack = await takeAway(hub)
  const messages: WorkerRequest[] = [
    { type: 'accept', ...run },
    { type: 'renew', leases: [run] },
    { type: 'phase', ...run, phase: 'running' },
  ]
  for (const message of messages) {
    expect(await worker.request(message)).toMatchObject({
      ok: false,
      error: { code: 'database_unavailable', hint: expect.any(String) as string },
    })
  }
  await bringBack()
  for (const message of messages) expect(await worker.request(message)).toMatchObject({ ok: true })
  expect(worker.socket.readyState).toBe(worker.socket.OPEN)
  expect(await hub.call('getTask', { params: { task: run.taskId } })).toMatchObject({ state: 'running' })
  expect(worker.received.filter(({ type }) => type === 'assign')).toHaveLength(1)
})

test('who was here a moment ago stops everything without the database, and is told that it is not recorded', async () => {
  const { hub, worker, run } = await withOneRun()
  await hub.call('me')
  const bringBack = await takeAway(hub)
  const stopped = await hub.attempt('stopQueue', { body: {} })
  expect(refusal(stopped)).toEqual({ status: 503, code: 'stopped_unrecorded' })
  expect(stopped.text).toContain('1 worker was told')
  expect(await worker.next('stop')).toMatchObject({ reason: 'Stopped by owner.' })
  await bringBack()
  expect(await hub.call('getQueue')).toMatchObject({ paused: false })
  expect(await hub.call('getTask', { params: { task: run.taskId } })).toMatchObject({ state: 'assigned' })
  // The control: with its database the same request is recorded.
  expect(await hub.call('stopQueue', { body: {} })).toEqual({ requeued: 1, told: 1 })
  expect(await hub.call('getQueue')).toMatchObject({ paused: true })
})

test('one worker is stopped by its name, and no other, nor one of that name in another workspace', async () => {
  const { hub, worker } = await withOneRun()
  const b = await addWorkspace(hub.database, 'other')
  const workerId = await hub.hub.agents.ensureWorker(b.workspaceId, 'box')
  const token = await issueLocalToken(hub.hub.db, {
    workspaceId: b.workspaceId,
    name: 'box',
    personId: null,
    workerId,
  })
  const others = [await hub.worker(), await hub.worker({ token })]
  await hub.call('me')
  await takeAway(hub)
  const told = await hub.attempt('stopWorker', { params: { worker: 'box' }, body: {} })
  expect(refusal(told)).toEqual({ status: 503, code: 'stopped_unrecorded' })
  await worker.next('stop')
  const missed = await hub.attempt('stopWorker', { params: { worker: 'nobody' }, body: {} })
  expect(missed.text).toContain('No worker is connected here to be told')
  expect([worker, ...others].map(stops)).toEqual([1, 0, 0])
})

test('nobody else stops anything without the database', async () => {
  const { hub, worker } = await withOneRun()
  const [never, revoked] = [await addToken(hub), await addToken(hub)]
  expect((await hub.attempt('me', { token: revoked.secret })).status).toBe(200)
  await hub.call('revokeToken', { params: { id: revoked.id } })
  const workerToken = await hub.workerToken('box')
  await takeAway(hub)
  const ask = (token: string | null) => hub.attempt('stopQueue', { token, body: {} })
  for (const token of [never.secret, revoked.secret, workerToken, 'muster_person_guess']) {
    expect(refusal(await ask(token))).toEqual({ status: 503, code: 'database_unavailable' })
  }
  expect(refusal(await ask(null))).toEqual({ status: 401, code: 'unauthenticated' })
  // Remembered, but asked for by a page of another site.
  const foreign = await hub.raw({
    method: 'POST',
    path: '/api/v1/queue/stop',
    headers: { authorization: `Bearer ${hub.ownerToken}`, origin: 'https://evil.example' },
    body: {},
  })
  expect(refusal(foreign)).toEqual({ status: 403, code: 'origin_refused' })
  expect(stops(worker)).toBe(0)
  // And what only reads or writes has no such way.
  expect(refusal(await hub.attempt('pauseQueue', { body: {} })).code).toBe('database_unavailable')
  expect(refusal(await hub.attempt('getQueue')).code).toBe('database_unavailable')
})

async function addToken(hub: TestHub): Promise<{ id: string; secret: string }> {
  return hub.call('createToken', { body: { kind: 'person', name: `t-${crypto.randomUUID()}` } })
}
