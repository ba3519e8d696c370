import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '@muster/testkit/eventually'
import { expect, test } from 'vitest'
import { session } from '../../test-support/database.ts'
import { addRepo, startHub, type TestHub } from '../../test-support/hub.ts'
import { openRooms } from '../../test-support/rooms.ts'
import type { Tx } from './db.ts'

const insert = `insert into events (workspace_id, kind, actor, data) values ($1, 'repo.added', 'test', $2)`

async function everything(hub: TestHub, after?: string) {
  const { items } = await hub.call('listEvents', {
    query: { limit: '500', ...(after === undefined ? {} : { after }) },
  })
  return items
}

test('a reader with a cursor sees a transaction that commits late, exactly once and in order', async () => {
  const rooms = await openRooms()
  const late = await session(rooms.database.url)
  const read = async (after: string) => {
    const events = await rooms.inWorkspace((tx) => rooms.events.read(tx, { after, limit: 100 }))
    return { names: events.map((event) => event.data['name']), cursor: events.at(-1)?.cursor ?? after }
  }
  const start = await rooms.inWorkspace((tx) => rooms.events.head(tx))
  await late.query('begin')
  await late.query(insert, [rooms.workspaceId, { name: 'slow' }])
  await rooms.sql(insert, [rooms.workspaceId, { name: 'quick' }])
  // The quick one is held back too: handing it out now would move the cursor past the slow one.
  const first = await read(start)
  expect(first.names).toEqual([])
  await late.query('commit')
  const second = await read(first.cursor)
  expect(second.names).toEqual(['slow', 'quick'])
  expect((await read(second.cursor)).names).toEqual([])
})

test.each([
  ['one by one', 'publish'],
  ['together with others', 'publishAll'],
] as const)('what happened to a task is told in its order, whoever had begun first: %s', async (_, verb) => {
  const rooms = await openRooms()
  const { id: taskId } = await rooms.submit()
  const start = await rooms.inWorkspace((tx) => rooms.events.head(tx))
  const tell = (tx: Tx, name: string) => {
    const event = { kind: 'task.phase' as const, taskId, data: { name } }
    return verb === 'publish'
      ? rooms.events.publish(tx, rooms.person, event)
      : rooms.events.publishAll(tx, rooms.person, [event])
  }
  await rooms.inWorkspace(async (tx) => {
    // As by the row of an Idempotency-Key, before the verb waits for the lock on its task.
    await tx.query('select pg_current_xact_id()')
    await rooms.inWorkspace((other) => tell(other, 'first'))
    await tell(tx, 'second')
  })
  const events = await rooms.inWorkspace((tx) => rooms.events.read(tx, { after: start, limit: 100 }))
  expect(events.map((event) => event.data['name'])).toEqual(['first', 'second'])
})

test('a transaction that is rolled back leaves no event and no hole', async () => {
  const rooms = await openRooms()
  const start = await rooms.inWorkspace((tx) => rooms.events.head(tx))
  const failing = rooms.inWorkspace(async (tx) => {
    await rooms.events.publish(tx, rooms.person, { kind: 'repo.added', data: { name: 'undone' } })
    throw new Error('undone')
  })
  await expect(failing).rejects.toThrow('undone')
  await rooms.sql(insert, [rooms.workspaceId, { name: 'kept' }])
  const events = await rooms.inWorkspace((tx) => rooms.events.read(tx, { after: start, limit: 100 }))
  expect(events.map((event) => event.data['name'])).toEqual(['kept'])
})

test('two readers of many concurrent writers see the same events in the same order', async () => {
  const hub = await startHub({ loops: false })
  await addRepo(hub.database, hub.workspaceId)
  const live = await hub.live()
  await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      hub.call('createTask', { body: { repo: 'demo', title: `t ${n}`, run: 'true' } }),
    ),
  )
  await eventually(() => live.events().length === 40)
  const seen = live.events().map((event) => event.cursor)
  expect(new Set(seen).size).toBe(40)
  const paged: string[] = []
  for (let after: string | null = '0-0'; after !== null;) {
    const page: { items: { cursor: string; kind: string }[]; nextCursor: string | null } = await hub.call(
      'listEvents',
      {
        query: { limit: '7', after },
      },
    )
    paged.push(...page.items.filter((event) => event.kind === 'task.created').map((event) => event.cursor))
    after = page.nextCursor
  }
  expect(paged).toEqual(seen)
})

test('a live view that reconnects with its cursor has no gap and nothing twice', async () => {
  const hub = await startHub({ loops: false })
  await addRepo(hub.database, hub.workspaceId)
  const submit = (title: string) => hub.call('createTask', { body: { repo: 'demo', title, run: 'true' } })
  const first = await hub.live()
  await submit('before')
  await eventually(() => first.events().length === 1)
  await first.close()
  await submit('meanwhile')
  const second = await hub.live({ after: first.events()[0]?.cursor ?? '' })
  await submit('after')
  await eventually(() => second.events().length === 2)
  // Long enough for one more round, in which a double would arrive.
  await sleep(1_100)
  expect([...first.events(), ...second.events()].map((event) => event.data['title'])).toEqual([
    'before',
    'meanwhile',
    'after',
  ])
})

test('a live view follows the output of one task from the chunk it names', async () => {
  const hub = await startHub()
  await addRepo(hub.database, hub.workspaceId)
  const task = await hub.call('createTask', { body: { repo: 'demo', title: 'talks', run: 'true' } })
  const worker = await hub.worker()
  const { epoch } = await worker.assigned()
  const print = (batch: number, text: string) =>
    worker.request({ type: 'output', taskId: task.id, epoch, batch, chunks: [{ stream: 'stdout', text }] })
  await print(0, 'one')
  const first = await hub.live({ output: { taskId: task.id } })
  await print(1, 'two')
  await eventually(() => first.output().length === 2)
  await first.close()
  await print(2, 'three')
  const second = await hub.live({ output: { taskId: task.id, after: first.output().at(-1)?.seq ?? 0 } })
  await eventually(() => second.output().length === 1)
  expect([...first.output(), ...second.output()].map((chunk) => chunk.text)).toEqual(['one', 'two', 'three'])
})

const bogus = [
  'nonsense',
  '-',
  '1-',
  '1-2-3',
  "1-2' or true--",
  '9999999999999999999-0',
  '1-9999999999999999999',
  '18446744073709551616-1',
  '0x1-1',
]
test.each(bogus)('the cursor %j, which no hub gave out, misses nothing', async (after) => {
  const hub = await startHub({ loops: false })
  const all = await everything(hub)
  expect(all.map((event) => event.kind)).toContain('workspace.created')
  expect(await everything(hub, after)).toEqual(all)
  const live = await hub.live({ after })
  await eventually(() => live.events().length === all.length)
})

test('a cursor beyond everything that happened does not hide what happens next', async () => {
  const hub = await startHub({ loops: false })
  await addRepo(hub.database, hub.workspaceId)
  // As it is after the database was restored from an older backup.
  const live = await hub.live({ after: '4611686018427387904-1' })
  await hub.call('createTask', { body: { repo: 'demo', title: 'new', run: 'true' } })
  await eventually(() => live.events().some((event) => event.data['title'] === 'new'))
})

test('a message that is no subscription closes the live socket', async () => {
  const hub = await startHub({ loops: false })
  for (const message of [
    '{',
    '{}',
    '{"type":"subscribe","output":{"taskId":"x"}}',
    '{"type":"subscribe","x":1}',
  ]) {
    const live = await hub.live()
    live.socket.send(message)
    expect(await live.closed).toMatchObject({ code: 4002 })
  }
})
