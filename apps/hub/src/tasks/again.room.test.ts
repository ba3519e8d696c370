import { expect, test } from 'vitest'
import { failed, openRooms, verified, type Rooms, type TestWorker } from '../../test-support/rooms.ts'

/** Leases the next task and finishes it with this result. */
async function runOnce(rooms: Rooms, worker: TestWorker, more: Parameters<typeof failed>[0] = {}) {
  await rooms.sql(`update task_queue set not_before = '-infinity'`)
  const lease = await rooms.claim(worker)
  if (lease === undefined) throw new Error('nothing was claimed')
  const { taskId, epoch, runId } = lease
  const finish = { type: 'finish' as const, id: 1, taskId, epoch, runId, result: failed(more) }
  await rooms.say(worker, finish)
  return { lease, finish }
}

test('a failed task is tried again as often as it says, each time later, and then it is dead', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w')
  const { id } = await rooms.submit({ retries: 2 })
  const waits = []
  for (const failures of [1, 2]) {
    await runOnce(rooms, worker)
    const task = await rooms.get(id)
    expect(task).toMatchObject({ state: 'queued', failures, ending: null })
    expect(task.reason).toMatch(/^Try \d of 3 ended as execution_failed/)
    waits.push(Date.parse(task.notBefore ?? '') - Date.now())
  }
  expect(waits[1]).toBeGreaterThan((waits[0] ?? 0) + 2_000)
  await runOnce(rooms, worker)
  expect(await rooms.get(id)).toMatchObject({ state: 'dead', ending: 'execution_failed', attempt: 3 })
  expect(await rooms.sql(`select ending from runs`)).toHaveLength(3)
})

test('a failed task is not claimed before its wait is over', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w')
  await rooms.submit({ retries: 1 })
  await runOnce(rooms, worker)
  expect(await rooms.claim(worker)).toBeUndefined()
})

test('a finish that is repeated counts once, although the task waits for its next try', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w')
  const { id } = await rooms.submit({ retries: 3 })
  const { finish } = await runOnce(rooms, worker)
  await rooms.say(worker, finish)
  expect(await rooms.get(id)).toMatchObject({ state: 'queued', failures: 1 })
  const other = { ...finish, result: failed({ ending: 'timed_out' }) }
  await expect(rooms.say(worker, other)).rejects.toMatchObject({ code: 'stale_epoch' })
})

test('a result that comes after its lease is taken while nobody else has the task, and then from nobody', async () => {
  const rooms = await openRooms()
  const [late, next] = [await rooms.worker('late'), await rooms.worker('next')]
  const { id } = await rooms.submit()
  const lease = await rooms.claim(late)
  if (lease === undefined) throw new Error('nothing was claimed')
  const { taskId, epoch, runId, branch } = lease
  const held = { id: 1, taskId, epoch }
  await rooms.say(late, { type: 'publish', ...held, commit: 'c'.repeat(40), branch })
  await rooms.sql(`update task_queue set lease_expires_at = now() - interval '1 second'`)
  await rooms.runs.sweep()
  expect(await rooms.get(id)).toMatchObject({ state: 'queued' })
  // Another worker never had this epoch.
  const finish = { type: 'finish' as const, ...held, runId, result: verified(branch) }
  await expect(rooms.say(next, finish)).rejects.toMatchObject({ code: 'stale_epoch' })
  await rooms.say(late, finish)
  expect(await rooms.get(id)).toMatchObject({ state: 'done', epoch })
  expect(await rooms.sql(`select 1 from events where kind = 'task.late_result'`)).toHaveLength(1)
  expect(await rooms.sql(`select 1 from events where kind = 'task.done'`)).toHaveLength(1)
})

test('a late result is refused when the task was given to somebody else meanwhile', async () => {
  const rooms = await openRooms()
  const [late, next] = [await rooms.worker('late'), await rooms.worker('next')]
  const { id } = await rooms.submit()
  const lease = await rooms.claim(late)
  if (lease === undefined) throw new Error('nothing was claimed')
  const { taskId, epoch, runId, branch } = lease
  await rooms.say(late, { type: 'publish', id: 1, taskId, epoch, commit: 'c'.repeat(40), branch })
  await rooms.sql(`update task_queue set lease_expires_at = now() - interval '1 second'`)
  await rooms.runs.sweep()
  const newer = await rooms.claim(next)
  const finish = { type: 'finish' as const, id: 2, taskId, epoch, runId, result: verified(branch) }
  await expect(rooms.say(late, finish)).rejects.toMatchObject({ code: 'stale_epoch' })
  expect(await rooms.get(id)).toMatchObject({ state: 'assigned', epoch: newer?.epoch })
})

test('a deadline that the worker does not report is a failed try, and its late result counts for nothing', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w')
  const { id } = await rooms.submit({ retries: 1 })
  const lease = await rooms.claim(worker)
  await rooms.sql(`update task_queue set deadline_at = now() - interval '30 seconds'`)
  await rooms.runs.sweep()
  expect(await rooms.get(id)).toMatchObject({ state: 'queued', failures: 1 })
  const { taskId, epoch, runId } = lease ?? { taskId: '', epoch: 0, runId: '' }
  const finish = { type: 'finish' as const, id: 1, taskId, epoch, runId, result: failed() }
  await expect(rooms.say(worker, finish)).rejects.toMatchObject({ code: 'stale_epoch' })
})

test('a run that says nothing about its work is given up as stalled', async () => {
  const rooms = await openRooms({ limits: { noProgressMs: 60_000 } })
  const worker = await rooms.worker('w')
  const { id } = await rooms.submit()
  const lease = await rooms.claim(worker)
  await rooms.say(worker, { type: 'accept', id: 1, taskId: id, epoch: lease?.epoch ?? 0 })
  await rooms.sql(`update task_queue set progress_at = now() - interval '61 seconds'`)
  await rooms.say(worker, { type: 'phase', id: 2, taskId: id, epoch: lease?.epoch ?? 0, phase: 'running' })
  await rooms.runs.sweep()
  expect(await rooms.get(id)).toMatchObject({ state: 'running' })
  await rooms.sql(`update task_queue set progress_at = now() - interval '61 seconds'`)
  await rooms.runs.sweep()
  expect(await rooms.get(id)).toMatchObject({ state: 'dead', ending: 'stalled' })
})

test('what a run prints is progress', async () => {
  const rooms = await openRooms({ limits: { noProgressMs: 60_000 } })
  const worker = await rooms.worker('w')
  const { id } = await rooms.submit()
  const lease = await rooms.claim(worker)
  const held = { taskId: id, epoch: lease?.epoch ?? 0 }
  await rooms.say(worker, { type: 'accept', id: 1, ...held })
  await rooms.sql(`update task_queue set progress_at = now() - interval '61 seconds'`)
  await rooms.say(worker, {
    type: 'output',
    id: 2,
    ...held,
    batch: 0,
    chunks: [{ stream: 'stdout', text: 'compiling' }],
  })
  await rooms.runs.sweep()
  expect((await rooms.get(id)).state).not.toBe('dead')
})
