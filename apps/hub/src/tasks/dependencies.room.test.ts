import { expect, test } from 'vitest'
import { openRooms, failed, verified, commit, type Rooms, type TestWorker } from '../../test-support/rooms.ts'

async function claimAndGrant(rooms: Rooms, worker: TestWorker) {
  const lease = await rooms.claim(worker)
  if (lease === undefined) throw new Error('nothing was claimed')
  const { branch } = lease
  const held = { id: 1, taskId: lease.taskId, epoch: lease.epoch }
  await rooms.say(worker, { type: 'publish', ...held, branch, commit })
  return {
    taskId: lease.taskId,
    finish: () =>
      rooms.say(worker, { type: 'finish', ...held, runId: lease.runId, result: verified(branch) }),
    fail: () => rooms.say(worker, { type: 'finish', ...held, runId: lease.runId, result: failed() }),
  }
}

test('a task waits until every task it names is done, and for no other', async () => {
  const rooms = await openRooms()
  const [one, two] = [await rooms.submit({ title: 'one' }), await rooms.submit({ title: 'two' })]
  const child = await rooms.submit({ title: 'child', after: [one.id, two.id, one.id] })
  expect(child).toMatchObject({ state: 'waiting', reason: 'Waits for "one" and 1 more.' })
  expect(child.after.toSorted()).toEqual([one.id, two.id].toSorted())
  const worker = await rooms.worker('w', 3)
  const [first, second] = [await claimAndGrant(rooms, worker), await claimAndGrant(rooms, worker)]
  expect(await rooms.claim(worker)).toBeUndefined()
  await first.finish()
  expect(await rooms.get(child.id)).toMatchObject({ state: 'waiting', reason: 'Waits for "two".' })
  await second.finish()
  expect(await rooms.get(child.id)).toMatchObject({ state: 'queued' })
  expect(await rooms.claim(worker)).toMatchObject({ taskId: child.id })
})

test('a task that names only done tasks is queued at once', async () => {
  const rooms = await openRooms()
  const parent = await rooms.submit()
  await (await claimAndGrant(rooms, await rooms.worker('w'))).finish()
  expect(await rooms.submit({ after: [parent.id] })).toMatchObject({ state: 'queued' })
})

test('parents that finish at the same moment release their child exactly once', async () => {
  const rooms = await openRooms()
  const other = await openRooms({ database: rooms.database })
  const worker = await rooms.worker('w', 40)
  for (let round = 0; round < 5; round++) {
    const parents = [await rooms.submit(), await rooms.submit(), await rooms.submit()]
    const child = await rooms.submit({ after: parents.map((parent) => parent.id) })
    const leases = []
    for (const _ of parents) leases.push(await claimAndGrant(round % 2 === 0 ? rooms : other, worker))
    await Promise.all(leases.map((lease) => lease.finish()))
    expect(await rooms.get(child.id)).toMatchObject({ state: 'queued' })
    const released = await rooms.sql(`select 1 from events where kind = 'task.released' and task_id = $1`, [
      child.id,
    ])
    expect(released).toHaveLength(1)
    await rooms.cancel(child.id)
  }
})

test('a child handed in while its parent finishes is never forgotten', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w', 40)
  for (let round = 0; round < 10; round++) {
    const parent = await rooms.submit()
    const lease = await claimAndGrant(rooms, worker)
    const [child] = await Promise.all([rooms.submit({ after: [parent.id] }), lease.finish()])
    expect(await rooms.get(child.id)).toMatchObject({ state: 'queued' })
    await rooms.cancel(child.id)
  }
})

test('the child of a dead task waits and says what a person can do, until the parent is retried and done', async () => {
  const rooms = await openRooms()
  const parent = await rooms.submit({ title: 'Build it' })
  const child = await rooms.submit({ after: [parent.id] })
  const worker = await rooms.worker('w')
  await (await claimAndGrant(rooms, worker)).fail()
  expect(await rooms.get(child.id)).toMatchObject({
    state: 'waiting',
    reason: 'Waits for "Build it", which is dead; retry that task or cancel this one.',
  })
  await rooms.retry(parent.id)
  await (await claimAndGrant(rooms, worker)).finish()
  expect(await rooms.get(child.id)).toMatchObject({ state: 'queued' })
})

test('a cancelled child that is retried still waits for its parent', async () => {
  const rooms = await openRooms()
  const parent = await rooms.submit({ title: 'Build it', lane: 'low' })
  const child = await rooms.submit({ after: [parent.id] })
  await rooms.cancel(child.id)
  expect(await rooms.retry(child.id)).toMatchObject({ state: 'waiting', reason: 'Waits for "Build it".' })
  const worker = await rooms.worker('w', 2)
  const lease = await claimAndGrant(rooms, worker)
  expect(lease.taskId).toBe(parent.id)
  expect(await rooms.claim(worker)).toBeUndefined()
  await lease.finish()
  expect(await rooms.claim(worker)).toMatchObject({ taskId: child.id })
})

test('a child that was retried while its parent finishes is never forgotten', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w', 40)
  for (let round = 0; round < 10; round++) {
    const parent = await rooms.submit()
    const child = await rooms.submit({ after: [parent.id] })
    await rooms.cancel(child.id)
    const lease = await claimAndGrant(rooms, worker)
    await Promise.all([rooms.retry(child.id), lease.finish()])
    expect(await rooms.get(child.id)).toMatchObject({ state: 'queued' })
    await rooms.cancel(child.id)
  }
})

test('a cancelled child is not released when its parent is done', async () => {
  const rooms = await openRooms()
  const parent = await rooms.submit()
  const child = await rooms.submit({ after: [parent.id] })
  await rooms.cancel(child.id)
  await (await claimAndGrant(rooms, await rooms.worker('w'))).finish()
  expect(await rooms.get(child.id)).toMatchObject({ state: 'cancelled' })
})

test('a task that does not exist cannot be waited for, and nothing is left of the attempt', async () => {
  const rooms = await openRooms()
  const missing = '00000000-0000-7000-8000-000000000001'
  await expect(rooms.submit({ after: [missing] })).rejects.toMatchObject({ code: 'dependency_not_found' })
  expect(await rooms.sql('select 1 from tasks')).toEqual([])
})
