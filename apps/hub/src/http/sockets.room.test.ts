import { request } from 'node:http'
import { eventually } from '@muster/testkit/eventually'
import { expect, test } from 'vitest'
import { addRepo, startHub, type TestHub } from '../../test-support/hub.ts'

const paths = { live: '/api/v1/live', worker: '/api/v1/workers/socket' }
type Headers = Record<string, string>

/** The status of an upgrade: 101 when the socket opened. */
function upgrade(hub: TestHub, path: string, headers: Headers): Promise<number> {
  const { hostname, port } = new URL(hub.url)
  const handshake = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16, 1).toString('base64'),
  }
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, headers: { ...handshake, ...headers }, agent: false })
    sent.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve(response.statusCode ?? 0)
    })
    sent.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end()
  })
}

async function sessionCookie(hub: TestHub): Promise<string> {
  const { url } = await hub.call('createSignInLink')
  const answer = await hub.attempt('signIn', { token: null, body: { link: url.split('link=')[1] } })
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}

// Which status each socket answers, by credential and by Origin: none, null, foreign, own.
const matrix: [string, Record<'live' | 'worker', [number, number, number, number]>][] = [
  ['no credential', { live: [401, 403, 403, 401], worker: [401, 403, 403, 401] }],
  ['a bad token', { live: [401, 403, 403, 401], worker: [401, 403, 403, 401] }],
  ['a session cookie', { live: [403, 403, 403, 101], worker: [403, 403, 403, 403] }],
  ['a bad cookie', { live: [403, 403, 403, 401], worker: [403, 403, 403, 401] }],
  ['a personal token', { live: [101, 403, 403, 101], worker: [403, 403, 403, 403] }],
  ['a worker token', { live: [403, 403, 403, 403], worker: [101, 403, 403, 101] }],
]

test.each(matrix)('a socket with %s opens only where and from where it may', async (credential, expected) => {
  const hub = await startHub({ loops: false })
  const credentials: Record<string, Headers> = {
    'no credential': {},
    'a bad token': { authorization: 'Bearer muster_person_x' },
    'a session cookie': { cookie: await sessionCookie(hub) },
    'a bad cookie': { cookie: 'muster_session=x' },
    'a personal token': { authorization: `Bearer ${hub.ownerToken}` },
    'a worker token': { authorization: `Bearer ${await hub.workerToken('w')}` },
  }
  const origins: Headers[] = [{}, { origin: 'null' }, { origin: 'https://evil.example' }, { origin: hub.url }]
  for (const kind of ['live', 'worker'] as const) {
    const got: number[] = []
    for (const origin of origins) {
      got.push(await upgrade(hub, paths[kind], { ...credentials[credential], ...origin }))
    }
    expect([kind, got]).toEqual([kind, expected[kind]])
  }
})

test('a socket under a host that was rebound to this address does not open', async () => {
  const hub = await startHub({ loops: false })
  const authorization = `Bearer ${hub.ownerToken}`
  expect(await upgrade(hub, paths.live, { authorization, host: 'evil.example' })).toBe(421)
})

test('a token in the address counts for nothing', async () => {
  const hub = await startHub({ loops: false })
  for (const name of ['token', 'access_token', 'authorization']) {
    expect(await upgrade(hub, `${paths.live}?${name}=${hub.ownerToken}`, {})).toBe(401)
  }
})

test('a second process with the token of a connected worker is refused, the same one replaces its socket', async () => {
  const hub = await startHub({ loops: false })
  const token = await hub.workerToken('w')
  const first = await hub.worker({ token, instance: 'one' })
  const copy = await hub.worker({ token, instance: 'two' })
  expect(copy.welcome).toBeUndefined()
  expect(await copy.closed).toEqual({ code: 4009, reason: 'worker_already_connected' })
  const back = await hub.worker({ token, instance: 'one' })
  expect(back.welcome?.workerName).toBe('w')
  expect(await first.closed).toMatchObject({ code: 4000 })
  await back.close()
  // Gone for good: now another process may take its place.
  await eventually(async () => (await hub.call('listWorkers')).items[0]?.connected === false)
  expect((await hub.worker({ token, instance: 'two' })).welcome).toBeDefined()
})

test('a second process that claims to have lost a run cannot take it from the first', async () => {
  const hub = await startHub()
  await addRepo(hub.database, hub.workspaceId)
  const task = await hub.call('createTask', { body: { repo: 'demo', title: 'mine', run: 'true' } })
  const token = await hub.workerToken('w')
  const first = await hub.worker({ token, instance: 'one' })
  const { epoch, runId } = await first.assigned()
  const holding = [{ taskId: task.id, epoch, runId, phase: 'lost' as const }]
  const copy = await hub.worker({ token, instance: 'two', holding })
  expect(await copy.closed).toMatchObject({ reason: 'worker_already_connected' })
  expect(await first.request({ type: 'accept', taskId: task.id, epoch })).toMatchObject({ ok: true })
})
