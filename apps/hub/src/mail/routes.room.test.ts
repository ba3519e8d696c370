import { expect, test } from 'vitest'
import { refusal } from '../../test-support/http.ts'
import { startHub, type TestHub } from '../../test-support/hub.ts'

const send = (hub: TestHub, body: object) => hub.call('sendMessage', { body })
const texts = async (hub: TestHub, query: Record<string, string> = {}) =>
  (await hub.call('listMessages', { query })).items.map((message) => message.text)

test('a person writes to an agent, is answered, and reads the thread', async () => {
  const hub = await startHub()
  const box = await hub.worker({ token: await hub.workerToken('box') })
  const sent = await send(hub, { to: 'box', text: 'how is the build?' })
  const { message } = await box.next('message')
  expect(message).toMatchObject({ id: sent.id, from: { kind: 'person' }, to: { name: 'box' } })
  await box.request({ type: 'message', replyTo: message.id, text: 'green' })
  await send(hub, { replyTo: message.id, text: 'thanks' })
  expect((await box.next('message', (push) => push.cursor === 2)).message.text).toBe('thanks')
  await send(hub, { to: null, text: 'for all' })
  expect(await texts(hub, { thread: message.id })).toEqual(['how is the build?', 'green', 'thanks'])
  expect(await texts(hub, { to: 'box' })).toEqual(['how is the build?', 'thanks'])
  expect(await texts(hub)).toEqual(['how is the build?', 'green', 'thanks', 'for all'])
})

test('a person makes a channel, publishes in it, and an agent that is subscribed hears it', async () => {
  const hub = await startHub()
  const box = await hub.worker({ token: await hub.workerToken('box') })
  const made = await hub.call('createChannel', { body: { name: 'deploys' } })
  expect(made).toMatchObject({ name: 'deploys', last: 0, subscribers: 0, online: 0 })
  expect(await hub.call('createChannel', { body: { name: 'deploys' } })).toEqual(made)
  await box.request({ type: 'channel_subscribe', channel: 'deploys' })
  await send(hub, { channel: 'deploys', text: 'shop 1.2' })
  expect(await box.next('channel_message')).toMatchObject({ cursor: 1, message: { text: 'shop 1.2' } })
  await send(hub, { to: 'box', text: 'elsewhere' })
  expect(await texts(hub, { channel: 'deploys' })).toEqual(['shop 1.2'])
  expect((await hub.call('listChannels')).items).toMatchObject([
    { name: 'deploys', last: 1, subscribers: 1, online: 1 },
  ])
})

test('the list shows the newest without a cursor and goes on behind one', async () => {
  const hub = await startHub({ loops: false })
  for (let n = 1; n <= 5; n++) await send(hub, { to: null, text: `${n}` })
  expect(await texts(hub, { limit: '2' })).toEqual(['4', '5'])
  const first = await hub.call('listMessages', { query: { after: '0', limit: '2' } })
  expect(first.items.map((message) => message.text)).toEqual(['1', '2'])
  const second = await hub.call('listMessages', { query: { after: first.nextCursor ?? '', limit: '3' } })
  expect(second.items.map((message) => message.text)).toEqual(['3', '4', '5'])
  expect((await hub.call('listMessages', { query: { after: '5' } })).items).toEqual([])
})

test('what is wrong with words of a person is said, and nothing is stored', async () => {
  const hub = await startHub({ loops: false })
  await hub.workerToken('box')
  const before = await hub.sql('select kind from events')
  const wrong: [object, number, string][] = [
    [{ text: 'x' }, 400, 'invalid_request'],
    [{ to: 'box', channel: 'deploys', text: 'x' }, 400, 'invalid_request'],
    [{ to: 'box', text: '' }, 400, 'invalid_request'],
    [{ to: 'box', text: 'ä'.repeat(8 * 1024 + 1) }, 400, 'invalid_request'],
    [{ to: 'box', text: 'x', data: {} }, 400, 'invalid_request'],
    [{ to: 'nobody', text: 'x' }, 404, 'not_found'],
    [{ channel: 'none', text: 'x' }, 404, 'not_found'],
    [{ replyTo: crypto.randomUUID(), text: 'x' }, 404, 'not_found'],
  ]
  for (const [body, status, code] of wrong) {
    expect([body, refusal(await hub.attempt('sendMessage', { body }))]).toEqual([body, { status, code }])
  }
  for (const query of [{ to: 'nobody' }, { channel: 'none' }, { thread: crypto.randomUUID() }]) {
    expect(refusal(await hub.attempt('listMessages', { query }))).toEqual({ status: 404, code: 'not_found' })
  }
  expect(await hub.sql('select 1 from messages')).toEqual([])
  expect(await hub.sql('select kind from events')).toEqual(before)
})

test('a request that is repeated under its key posts once, and the sixty-first within a minute is refused with 429', async () => {
  const hub = await startHub({ loops: false })
  await hub.workerToken('box')
  const body = { to: 'box', text: 'same' }
  const headers = { 'idempotency-key': 'the-same-key' }
  const ids = await Promise.all(
    Array.from({ length: 5 }, async () => (await hub.call('sendMessage', { body, headers })).id),
  )
  expect(new Set(ids).size).toBe(1)
  for (let n = 2; n <= 60; n++) await send(hub, { to: 'box', text: `${n}` })
  const answer = await hub.attempt('sendMessage', { body })
  expect(refusal(answer)).toEqual({ status: 429, code: 'too_many_messages' })
  expect(answer.text).toMatch(/the next is taken in \d+ s/)
  // One that was posted is still answered as before.
  expect((await hub.call('sendMessage', { body, headers })).id).toBe(ids[0])
  expect(await hub.sql('select 1 from messages')).toHaveLength(60)
})
