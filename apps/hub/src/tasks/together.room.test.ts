import { taskCreate, type TaskCreateInput } from '@muster/contract/tasks'
import { newId } from '../kernel/ids.ts'
import { expect, test } from 'vitest'
import { openRooms, type Rooms } from '../../test-support/rooms.ts'

const handIn = (rooms: Rooms, more: Partial<TaskCreateInput> = {}, key?: string) => {
  const input = taskCreate.parse({ repo: 'demo', title: 'A task', run: 'true', ...more })
  const keyed = key === undefined ? undefined : { actor: rooms.person, key, route: 'test', body: input }
  return rooms.tasks.handIn(rooms.person, input, keyed)
}

const settled = async (calls: Promise<unknown>[]) =>
  (await Promise.allSettled(calls)).map((each) =>
    each.status === 'fulfilled' ? 'taken' : (each.reason as { code?: string }).code,
  )

test('tasks handed in at one moment share few transactions and keep their order', async () => {
  const rooms = await openRooms()
  const made = await Promise.all(
    Array.from({ length: 60 }, (_, at) => handIn(rooms, { title: `task ${at}` })),
  )
  expect(made.map((task) => [task.title, task.state])).toEqual(made.map((_, at) => [`task ${at}`, 'queued']))
  const queued = await rooms.sql<{ task_id: string }>(
    'select task_id from task_queue order by enqueued_at, task_id',
  )
  expect(queued.map((row) => row.task_id)).toEqual(made.map((task) => task.id))
  const [row] = await rooms.sql<{ transactions: number }>(
    'select count(distinct xmin::text)::int as transactions from tasks',
  )
  expect(row?.transactions).toBeLessThan(10)
  expect(await rooms.sql(`select 1 as n from events where kind = 'task.created'`)).toHaveLength(60)
})

test('a refused task leaves nothing behind and does not touch those handed in with it', async () => {
  const rooms = await openRooms()
  const answers = await settled([
    handIn(rooms, { title: 'first' }),
    handIn(rooms, { repo: 'elsewhere' }, 'key-refused'),
    handIn(rooms, { after: [newId()] }),
    handIn(rooms, { wall: 'microvm' }),
    handIn(rooms, { worker: 'nobody' }),
    handIn(rooms, { title: 'last' }, 'key-taken'),
  ])
  expect(answers).toEqual([
    'taken',
    'repo_not_found',
    'dependency_not_found',
    'wall_not_supported',
    'worker_not_found',
    'taken',
  ])
  expect(await rooms.sql('select title from tasks order by id')).toEqual([
    { title: 'first' },
    { title: 'last' },
  ])
  expect(await rooms.sql('select key from idempotency_keys')).toEqual([{ key: 'key-taken' }])
})

test('requests with one key in one moment are one task and one answer, and another request under it is refused', async () => {
  const rooms = await openRooms()
  const same = Array.from({ length: 5 }, () => handIn(rooms, { title: 'once' }, 'the-same-key'))
  const other = handIn(rooms, { title: 'other' }, 'the-same-key')
  await expect(other).rejects.toMatchObject({ code: 'idempotency_mismatch' })
  const ids = (await Promise.all(same)).map((task) => task.id)
  expect(new Set(ids).size).toBe(1)
  expect((await handIn(rooms, { title: 'once' }, 'the-same-key')).id).toBe(ids[0])
  expect(await rooms.sql('select title from tasks')).toEqual([{ title: 'once' }])
})
