import { expect, test } from 'vitest'
import { addWorkspace, startHub } from '../../test-support/hub.ts'
import { speaker } from '../../test-support/mail.ts'
import { openRooms } from '../../test-support/rooms.ts'
import { connectWorker } from '../../test-support/worker-client.ts'

test('two workers at two hubs ask and answer, and who was away gets it after the welcome until it is acknowledged', async () => {
  const one = await startHub()
  const two = await startHub({ database: one.database })
  const [annToken, bobToken] = [await one.workerToken('ann'), await one.workerToken('bob')]
  const ann = await one.worker({ token: annToken })
  const asked = await ann.request({ type: 'message', to: 'bob', text: 'ready?', data: { build: 7 } })
  expect(asked).toMatchObject({ ok: true, posted: { left: 59 } })

  const bob = await two.worker({ token: bobToken })
  expect(bob.received[0]?.type).toBe('welcome')
  const got = await bob.next('message')
  expect(got).toMatchObject({
    cursor: 1,
    dropped: 0,
    message: { text: 'ready?', data: { build: 7 }, from: { kind: 'worker', name: 'ann' } },
  })
  await bob.request({ type: 'message', replyTo: got.message.id, text: 'yes' })
  expect((await ann.next('message')).message).toMatchObject({ text: 'yes', root: got.message.id })
  const thread = await ann.request({
    type: 'thread',
    message: got.message.id,
    part: 'thread',
    after: 0,
    limit: 20,
  })
  expect(thread.thread?.items.map((item) => item.text)).toEqual(['ready?', 'yes'])

  await bob.close()
  const again = await one.worker({ token: bobToken })
  expect((await again.next('message')).cursor).toBe(1)
  expect(await again.request({ type: 'mail_ack', cursor: 1 })).toMatchObject({ ok: true })
  await ann.request({ type: 'message', to: 'bob', text: 'good' })
  expect((await again.next('message')).cursor).toBe(2)
  await again.close()
  const last = await two.worker({ token: bobToken })
  expect((await last.next('message')).message.text).toBe('good')
  expect((await last.request({ type: 'mail_read', limit: 5 })).mail?.items).toHaveLength(1)
})

test('a message of which no hint came is pushed all the same, because every hub looks by itself', async () => {
  const hub = await startHub()
  const silent = await openRooms({ database: hub.database })
  const bob = await hub.worker({ token: await hub.workerToken('bob') })
  await bob.request({ type: 'list_agents' })
  const ann = await speaker(silent, 'ann')
  await ann.tell('bob', 'psst')
  expect((await bob.next('message')).message.text).toBe('psst')
})

test('words that do not fit are refused, and nothing is stored', async () => {
  const hub = await startHub({ loops: false })
  const ann = await hub.worker({ token: await hub.workerToken('ann') })
  const send = (more: object) => ann.request({ type: 'message', to: 'ann', text: 'x', ...more } as never)
  expect(await send({ to: 'nobody' })).toMatchObject({ ok: false, error: { code: 'not_found' } })
  expect(await send({ replyTo: crypto.randomUUID() })).toMatchObject({ error: { code: 'not_found' } })
  expect(await ann.request({ type: 'mail_ack', cursor: 1 })).toMatchObject({
    error: { code: 'invalid_request' },
  })
  expect(await send({ text: 'ä'.repeat(8 * 1024) })).toMatchObject({ ok: true })
  const stored = (await hub.sql('select 1 from messages')).length
  const unfit = [
    { text: '' },
    { text: 'ä'.repeat(8 * 1024 + 1) },
    { data: { long: 'x'.repeat(5_000) } },
    { data: [] },
    { key: '' },
    { replyTo: 'last' },
  ]
  for (const more of unfit) {
    const worker = await hub.worker()
    worker.post({ type: 'message', to: 'ann', text: 'x', ...more })
    expect([more, await worker.next('error')]).toMatchObject([more, { code: 'invalid_message' }])
  }
  expect(await hub.sql('select 1 from messages')).toHaveLength(stored)
})

test('names and messages of another workspace are as unknown as those of nobody', async () => {
  const hub = await startHub()
  const b = await addWorkspace(hub.database, 'b')
  const made = await hub.call('createToken', { token: b.token, body: { name: 'theirs', kind: 'worker' } })
  const theirs = await connectWorker(hub.url, { token: made.secret })
  const ann = await hub.worker({ token: await hub.workerToken('ann') })
  const { posted } = await theirs.request({ type: 'message', to: null, text: 'canary' })
  const id = posted?.id ?? ''
  for (const unknown of [id, crypto.randomUUID()]) {
    const bare = (text?: string) => text?.replace(unknown, 'ID')
    const asked = await ann.request({ type: 'thread', message: unknown, part: 'thread', after: 0, limit: 5 })
    const answered = await ann.request({ type: 'message', replyTo: unknown, text: 'x' })
    for (const reply of [asked, answered]) {
      expect(reply.error?.code).toBe('not_found')
      expect(bare(reply.error?.message)).toBe('No message ID is kept here.')
    }
  }
  expect((await ann.request({ type: 'message', to: 'theirs', text: 'x' })).error?.code).toBe('not_found')
  // The control: one of its own workspace is delivered, and by then the other would have been.
  await ann.request({ type: 'message', to: 'ann', text: 'to myself' })
  expect((await ann.next('message')).message.text).toBe('to myself')
  expect(JSON.stringify(ann.received)).not.toContain('canary')
})
