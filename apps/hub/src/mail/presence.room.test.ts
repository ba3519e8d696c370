import { eventually } from '@muster/testkit/eventually'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { addWorkspace, startHub } from '../../test-support/hub.ts'
import { connectWorker } from '../../test-support/worker-client.ts'

test('an agent hears through any hub who joins, what they say of themselves and who leaves, and not of itself', async () => {
  const one = await startHub()
  const two = await startHub({ database: one.database })
  const ann = await one.worker({ token: await one.workerToken('ann') })
  const first = await ann.request({ type: 'list_agents' })
  expect(first.agents).toMatchObject([{ name: 'ann', online: true, status: '' }])

  const bob = await two.worker({ token: await two.workerToken('bob') })
  expect(await ann.next('agent_joined')).toEqual({ type: 'agent_joined', name: 'bob', status: '' })
  expect(await bob.request({ type: 'status', text: '  reading the tests ' })).toMatchObject({ ok: true })
  expect(await ann.next('status_changed')).toMatchObject({ name: 'bob', status: 'reading the tests' })
  expect((await ann.request({ type: 'list_agents' })).agents).toMatchObject([
    { name: 'ann', online: true },
    { name: 'bob', online: true, status: 'reading the tests' },
  ])
  await bob.close()
  expect(await ann.next('agent_left')).toEqual({ type: 'agent_left', name: 'bob' })
  expect((await ann.request({ type: 'list_agents' })).agents).toMatchObject([
    { name: 'ann', online: true },
    { name: 'bob', online: false, status: 'reading the tests' },
  ])
  expect((await one.call('listWorkers')).items).toMatchObject([
    { name: 'ann', connected: true, status: '' },
    { name: 'bob', connected: false, status: 'reading the tests' },
  ])
  const changed = (await one.call('listEvents')).items.filter((each) => each.kind === 'worker.status_changed')
  expect(changed).toMatchObject([{ actor: 'bob', data: { status: 'reading the tests' } }])
})

test('an agent whose hub is killed is told to have left, though nobody wrote that down', async () => {
  const hub = await startHub()
  const ann = await hub.worker({ token: await hub.workerToken('ann') })
  await hub.workerToken('lost')
  await ann.request({ type: 'list_agents' })
  const seen = (ago: string) =>
    hub.sql(
      `update workers set connected_hub = gen_random_uuid(), last_seen_at = now() - $1::interval
       where name = 'lost'`,
      [ago],
    )
  await seen('0 s')
  expect(await ann.next('agent_joined')).toMatchObject({ name: 'lost' })
  await seen('16 s')
  expect(await ann.next('agent_left')).toMatchObject({ name: 'lost' })
})

test('saying the same again is no event, and what is no line of text is refused', async () => {
  const hub = await startHub({ loops: false })
  const ann = await hub.worker()
  for (let n = 0; n < 3; n++) await ann.request({ type: 'status', text: 'busy' })
  const kinds = (await hub.call('listEvents')).items.map((event) => event.kind)
  expect(kinds.filter((kind) => kind === 'worker.status_changed')).toHaveLength(1)
  const id = ann.post({ type: 'status', text: 'two\nlines' })
  expect(await ann.complaint()).toMatchObject({ to: id, code: 'invalid_message' })
})

test('an agent neither sees nor hears of the agents of another workspace', async () => {
  const hub = await startHub()
  const b = await addWorkspace(hub.database, 'b')
  const ann = await hub.worker({ token: await hub.workerToken('ann') })
  await ann.request({ type: 'list_agents' })
  const made = await hub.call('createToken', { token: b.token, body: { name: 'spy', kind: 'worker' } })
  const spy = await connectWorker(hub.url, { token: made.secret })
  expect((await spy.request({ type: 'list_agents' })).agents?.map((agent) => agent.name)).toEqual(['spy'])
  await spy.request({ type: 'status', text: 'canary' })
  // The control: somebody of its own workspace is heard of, and by then the other would have been too.
  const bob = await hub.worker({ token: await hub.workerToken('bob') })
  expect(await ann.next('agent_joined')).toMatchObject({ name: 'bob' })
  await bob.close()
  await eventually(() => ann.received.some((message) => message.type === 'agent_left'))
  await sleep(20)
  expect(JSON.stringify(ann.received)).not.toMatch(/spy|canary/)
  expect(spy.received.map((message) => message.type)).toEqual(['welcome', 'reply', 'reply'])
})
