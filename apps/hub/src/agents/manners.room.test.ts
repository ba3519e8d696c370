import { maxBadMessages, maxMessageBytes } from '@muster/contract/wire'
import { eventually } from '@muster/testkit/eventually'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { countRows, session } from '../../test-support/database.ts'
import { startHub, type TestHub } from '../../test-support/hub.ts'
import { newId } from '../kernel/ids.ts'
import { goodWall } from '../../test-support/worker-client.ts'

/** A socket that has said nothing yet. */
async function open(hub: TestHub, name = 'silent') {
  const socket = new WebSocket(`${hub.url.replace('http', 'ws')}/api/v1/workers/socket`, {
    headers: { authorization: `Bearer ${await hub.workerToken(name)}` },
  })
  const said: Record<string, unknown>[] = []
  socket.on('message', (data) => said.push(JSON.parse(String(data)) as Record<string, unknown>))
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  )
  await new Promise((resolve) => socket.on('open', resolve))
  return { socket, said, closed }
}

test('a message that does not fit is answered with what is wrong, changes nothing, and the worker stays', async () => {
  const hub = await startHub({ loops: false })
  const worker = await hub.worker()
  const before = await countRows(hub.database)
  const wrong: [string | Buffer, object][] = [
    ['not json', { code: 'malformed_json' }],
    [Buffer.from('{}'), { code: 'malformed_json', message: expect.stringContaining('binary') as string }],
    ['{"type":"nope","id":91}', { to: 91, code: 'unknown_message_type' }],
    ['{"type":"accept","id":92}', { to: 92, code: 'invalid_message', message: /^taskId: / }],
    [
      JSON.stringify({ type: 'hello', id: 93, wire: 1, instance: 'i' }),
      { to: 93, code: 'already_identified' },
    ],
  ]
  for (const [message, expected] of wrong) {
    worker.socket.send(message)
    const said = await worker.complaint()
    expect(said).toMatchObject({
      ...expected,
      ...('message' in expected ? { message: expect.any(String) } : {}),
    })
    expect(said.hint).not.toBe('')
  }
  expect(await worker.request({ type: 'walls', walls: [goodWall] })).toMatchObject({ ok: true })
  const after = await countRows(hub.database)
  expect({ ...after, events: 0 }).toEqual({ ...before, events: 0 })
})

test('the eleventh bad message ends the connection, and ten do not', async () => {
  const hub = await startHub({ loops: false })
  const worker = await hub.worker()
  for (let at = 0; at < maxBadMessages; at++) worker.socket.send('{"type":"nope"}')
  expect(await worker.request({ type: 'renew', leases: [] })).toMatchObject({ ok: true })
  worker.socket.send('{"type":"nope"}')
  const late = worker.post({ type: 'renew', leases: [] })
  expect(await worker.closed).toEqual({ code: 4002, reason: 'protocol_violation' })
  expect(worker.received.filter(({ type }) => type === 'error')).toHaveLength(maxBadMessages + 1)
  expect(worker.received.some((message) => message.type === 'reply' && message.to === late)).toBe(false)
  expect((await hub.worker()).welcome).toBeDefined()
})

test('whoever speaks before hello is told so and may still say it; a hello that does not fit names its field', async () => {
  const hub = await startHub({ loops: false })
  const { socket, said } = await open(hub)
  socket.send('{"type":"renew","id":1,"leases":[]}')
  socket.send('{"type":"hello","id":2,"wire":2,"instance":"i"}')
  socket.send('{"type":"hello","id":3,"wire":1,"instance":"i"}')
  await eventually(() => said.length === 3)
  expect(said).toMatchObject([
    { type: 'error', to: 1, code: 'hello_required' },
    { type: 'error', to: 2, code: 'invalid_message' },
    { type: 'welcome', to: 3, workerName: 'silent' },
  ])
  expect(said[1]?.['message']).toMatch(/^wire: /)
})

test('whoever says nothing is told to and put out after ten seconds', async () => {
  const hub = await startHub({ loops: false })
  const { said, closed } = await open(hub)
  expect(await closed).toEqual({ code: 4001, reason: 'hello_required' })
  expect(said).toMatchObject([{ type: 'error', code: 'hello_required' }])
}, 20_000)

test('a message of 5 MB is refused by name and ends its connection; one of 4 MiB is read', async () => {
  const hub = await startHub({ loops: false })
  const worker = await hub.worker()
  worker.socket.send(`"${'x'.repeat(maxMessageBytes - 2)}"`)
  expect(await worker.complaint()).toMatchObject({ code: 'invalid_message' })
  worker.socket.send('x'.repeat(5_000_000))
  expect(await worker.complaint()).toMatchObject({ code: 'frame_too_large' })
  expect(await worker.closed).toEqual({ code: 1009, reason: 'frame_too_large' })
})

test('a message of more than 8 MiB is not even read, and the hub lives', async () => {
  const hub = await startHub({ loops: false })
  const worker = await hub.worker()
  worker.socket.send('x'.repeat(9 * 1024 * 1024))
  expect(await worker.closed).toMatchObject({ code: 1009 })
  expect((await hub.call('me')).kind).toBe('person')
})

test('a worker that may not come in is told why in words before its connection is closed', async () => {
  const hub = await startHub({ loops: false })
  const token = await hub.workerToken('w')
  await hub.worker({ token, instance: 'one' })
  const copy = await hub.worker({ token, instance: 'two' })
  expect(await copy.closed).toEqual({ code: 4009, reason: 'worker_already_connected' })
  expect(copy.received).toMatchObject([{ type: 'error', to: 1, code: 'worker_already_connected' }])
})

test('what a client says of itself is shown with its worker', async () => {
  const hub = await startHub({ loops: false })
  const { socket, said } = await open(hub, 'scripted')
  const about = { client: 'my-script', version: '3', host: 'h', capabilities: ['GPU', 'docs', 'gpu'] }
  socket.send(JSON.stringify({ type: 'hello', id: 1, wire: 1, instance: 'i', ...about }))
  await eventually(() => said.length === 1)
  expect((await hub.call('listWorkers')).items).toMatchObject([
    { name: 'scripted', connected: true, slots: 1, walls: [], ...about, capabilities: ['gpu', 'docs'] },
  ])
})

test('a worker that sends faster than can be stored has to wait, is not called gone, and is answered in order', async () => {
  const hub = await startHub({ loops: false })
  const worker = await hub.worker()
  const lock = await session(hub.database.url)
  await lock.query('begin; lock table task_queue in access exclusive mode')
  const filler = Array.from({ length: 8 }, () => 'x'.repeat(2_000))
  const renew = { type: 'renew', leases: [{ taskId: newId(), epoch: 1 }], filler }
  const posted = Array.from({ length: 2_000 }, () => worker.post(renew))
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  // 32 MB were written. What the hub has not read is still here; the kernel holds a few megabytes.
  expect(worker.socket.bufferedAmount).toBeGreaterThan(20_000_000)
  for (let round = 0; round < 5; round++) await hub.hub.agents.refreshPresence()
  expect(hub.hub.agents.offers()).toHaveLength(1)
  await lock.query('rollback')
  await eventually(() => worker.received.length === posted.length + 1, { timeoutMs: 30_000 })
  const order = worker.received.flatMap((message) => (message.type === 'reply' ? message.to : []))
  expect(order).toEqual(posted)
  expect(worker.socket.readyState).toBe(WebSocket.OPEN)
})
