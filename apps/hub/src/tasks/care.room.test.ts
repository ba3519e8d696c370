import { expect, test } from 'vitest'
import { failed, openRooms, type Rooms } from '../../test-support/rooms.ts'
import { onEach } from './bulk.ts'

async function deadTask(rooms: Rooms): Promise<string> {
  const worker = await rooms.worker('undertaker')
  const { id } = await rooms.submit()
  const lease = await rooms.claim(worker)
  if (lease === undefined) throw new Error('nothing was claimed')
  const { taskId, epoch, runId } = lease
  await rooms.say(worker, { type: 'finish', id: 1, taskId, epoch, runId, result: failed() })
  return id
}

test('nothing is assigned while the queue is paused, and everything goes on when it is resumed', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w')
  const { id } = await rooms.submit()
  expect(await rooms.inWorkspace((tx) => rooms.tasks.queue.pause(tx, rooms.person))).toMatchObject({
    paused: true,
    waiting: 1,
  })
  expect(await rooms.claim(worker)).toBeUndefined()
  expect((await rooms.get(id)).reason).toMatch(/^The queue is paused/)
  await rooms.inWorkspace((tx) => rooms.tasks.queue.resume(tx, rooms.person))
  expect(await rooms.claim(worker)).toMatchObject({ taskId: id })
})

test('no more tasks of a workspace run at once than may, on two hubs at the same moment', async () => {
  const limits = { maxRunning: 7 }
  const one = await openRooms({ limits })
  const two = await openRooms({ limits, database: one.database })
  one.agents.connections.add((await one.worker('a', 20)).connection)
  two.agents.connections.add((await two.worker('b', 20)).connection)
  for (let n = 0; n < 30; n++) await one.submit()
  await Promise.all([one.assign(), two.assign(), one.assign(), two.assign()])
  expect(await one.sql('select 1 from task_queue where worker_id is not null')).toHaveLength(7)
  const [waits] = await one.sql<{ id: string }>(`select id from tasks where state = 'queued' limit 1`)
  expect((await one.get(waits?.id ?? '')).reason).toBe('7 of at most 7 tasks of this workspace run.')
})

test('beyond the bound a new task is refused with 429 and leaves nothing', async () => {
  const rooms = await openRooms({ limits: { maxWaiting: 2 } })
  for (let n = 0; n < 2; n++) await rooms.submit()
  const again = await openRooms({ limits: { maxWaiting: 2 }, database: rooms.database })
  await expect(again.submit()).rejects.toMatchObject({ code: 'too_many_waiting', status: 429 })
  expect(await rooms.sql('select 1 from tasks')).toHaveLength(2)
})

test('a cordoned worker gets nothing, and the task says why it waits', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w')
  await rooms.inWorkspace((tx) => rooms.agents.cordon(tx, rooms.person, 'w', 'New disk.'))
  const { id } = await rooms.submit()
  expect(await rooms.claim(worker)).toBeUndefined()
  expect((await rooms.get(id)).reason).toBe('w is cordoned: New disk.')
  await rooms.inWorkspace((tx) => rooms.agents.uncordon(tx, rooms.person, 'w'))
  expect(await rooms.claim(worker)).toMatchObject({ taskId: id })
})

test('a pushed task goes before all others and only to the worker it was pushed to', async () => {
  const rooms = await openRooms()
  const [a, b] = [await rooms.worker('a', 5), await rooms.worker('b', 5)]
  const [first, pushed] = [await rooms.submit({ lane: 'urgent' }), await rooms.submit({ lane: 'low' })]
  await rooms.inWorkspace((tx) => rooms.tasks.push(tx, rooms.person, pushed.id, 'b'))
  expect(await rooms.claim(a)).toMatchObject({ taskId: first.id })
  expect(await rooms.claim(a)).toBeUndefined()
  expect(await rooms.claim(b)).toMatchObject({ taskId: pushed.id })
  expect((await rooms.get(pushed.id)).assigned).toMatchObject({
    worker: 'b',
    reason: 'Given to b: the task names it.',
  })
})

test.each([
  [
    'is cordoned',
    (rooms: Rooms) => rooms.inWorkspace((tx) => rooms.agents.cordon(tx, rooms.person, 'w', 'x')),
  ],
  ['is not connected', (rooms: Rooms) => rooms.sql('update workers set connected_hub = null')],
  ['has no free slot', (rooms: Rooms) => rooms.sql('update workers set slots = 0')],
])('a push to a worker that %s is refused and changes nothing', async (why, prepare) => {
  const rooms = await openRooms()
  await rooms.worker('w')
  const { id } = await rooms.submit()
  await prepare(rooms)
  const before = await rooms.sql('select * from task_queue')
  const push = rooms.inWorkspace((tx) => rooms.tasks.push(tx, rooms.person, id, 'w'))
  await expect(push).rejects.toMatchObject({ code: 'worker_not_able', message: expect.stringContaining(why) })
  expect(await rooms.sql('select * from task_queue')).toEqual(before)
})

test('the kill switch queues what runs again, counts nothing against it, and takes no word of its runs any more', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w', 2)
  const { id } = await rooms.submit()
  const lease = await rooms.claim(worker)
  rooms.agents.connections.add(worker.connection)
  const stopped = await rooms.inWorkspace((tx) => rooms.runs.stop(tx, rooms.person, null, 'Stopped.'))
  expect(stopped).toEqual({ requeued: 1, told: 1 })
  expect(worker.sent).toContainEqual({ type: 'stop', reason: 'Stopped.' })
  expect(await rooms.get(id)).toMatchObject({ state: 'queued', failures: 0 })
  const { taskId, epoch, runId } = lease ?? { taskId: '', epoch: 0, runId: '' }
  const finish = { type: 'finish' as const, id: 1, taskId, epoch, runId, result: failed() }
  await expect(rooms.say(worker, finish)).rejects.toMatchObject({ code: 'stale_epoch' })
})

test('many dead tasks are queued again at once, and one that cannot be does not stop the others', async () => {
  const rooms = await openRooms()
  const ids = [await deadTask(rooms), await deadTask(rooms)]
  const done = await rooms.submit()
  const result = await rooms.inWorkspace((tx) =>
    onEach(tx, { ids: [...ids, done.id], limit: 200 }, (id) => rooms.tasks.retry(tx, rooms.person, id)),
  )
  expect(result).toMatchObject({ changed: ids, refused: [{ id: done.id, code: 'task_state_refuses' }] })
  expect(await rooms.get(ids[1] ?? '')).toMatchObject({ state: 'queued' })
  await expect(rooms.retry(ids[0] ?? '')).rejects.toMatchObject({ code: 'task_state_refuses' })
})

test('a deleted task is gone with its runs, its events stay, and one that others wait for is refused', async () => {
  const rooms = await openRooms()
  const id = await deadTask(rooms)
  const kept = await deadTask(rooms)
  await rooms.submit({ after: [kept] })
  await rooms.inWorkspace((tx) => rooms.runs.remove(tx, rooms.person, id))
  await expect(rooms.get(id)).rejects.toMatchObject({ code: 'not_found' })
  expect(await rooms.sql('select 1 from runs where task_id = $1', [id])).toEqual([])
  expect(
    await rooms.sql(`select 1 from events where task_id = $1 and kind = 'task.deleted'`, [id]),
  ).toHaveLength(1)
  const refused = rooms.inWorkspace((tx) => rooms.runs.remove(tx, rooms.person, kept))
  await expect(refused).rejects.toMatchObject({ code: 'has_dependents' })
  expect(await rooms.get(kept)).toMatchObject({ state: 'dead' })
})

test('tasks of a repository that is not active wait, and one without a repository goes to the first active one', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w')
  expect(await rooms.submit({ repo: undefined })).toMatchObject({ repo: 'demo' })
  await rooms.sql('update repos set active = false')
  expect(await rooms.claim(worker)).toBeUndefined()
  await expect(rooms.submit({ repo: undefined })).rejects.toMatchObject({ code: 'no_active_repo' })
})

test('the history of a task is its last 50 events, oldest first', async () => {
  const rooms = await openRooms()
  const { id } = await rooms.submit()
  for (let n = 0; n < 30; n++) {
    await rooms.cancel(id)
    await rooms.retry(id)
  }
  const { items } = await rooms.inWorkspace((tx) => rooms.tasks.history(tx, id))
  expect(items).toHaveLength(50)
  expect(items.at(-1)?.kind).toBe('task.retried')
  expect(items[0]?.kind).toBe('task.cancelled')
})
