import { eventually } from '@muster/testkit/eventually'
import { expect, test } from 'vitest'
import { openRooms, verified, type Rooms } from '../../test-support/rooms.ts'

/** Cancels the task while the lock of `doing` on it is held, which began first and commits afterwards. */
async function cancelDuring(rooms: Rooms, taskId: string, doing: Parameters<Rooms['inWorkspace']>[0]) {
  let cancelling: Promise<unknown> = Promise.resolve()
  await rooms.inWorkspace(async (tx) => {
    await doing(tx)
    cancelling = rooms.cancel(taskId)
    await eventually(
      async () =>
        (
          await rooms.sql(`select 1 from pg_stat_activity where wait_event_type = 'Lock'
        and datname = current_database()`)
        ).length > 0,
    )
  })
  await cancelling
}

test('a task that is cancelled while it is queued again leaves no place in the queue', async () => {
  const rooms = await openRooms()
  const task = await rooms.submit()
  await rooms.cancel(task.id)
  await cancelDuring(rooms, task.id, (tx) => rooms.tasks.retry(tx, rooms.person, task.id))
  expect(await rooms.get(task.id)).toMatchObject({ state: 'cancelled' })
  expect(await rooms.sql('select 1 from task_queue')).toEqual([])
  const next = await rooms.submit()
  expect(await rooms.claim(await rooms.worker('w'))).toMatchObject({ taskId: next.id })
})

test('a task that is cancelled while its parent ends leaves no place in the queue', async () => {
  const rooms = await openRooms()
  const parent = await rooms.submit()
  const child = await rooms.submit({ after: [parent.id] })
  const worker = await rooms.worker('w')
  const lease = await rooms.claim(worker)
  if (lease === undefined) throw new Error('nothing was claimed')
  const { reason, branch, commit, ending } = verified(lease.branch)
  await cancelDuring(rooms, child.id, (tx) =>
    rooms.leases.complete(
      tx,
      worker.actor,
      { ...lease, workerId: worker.connection.workerId },
      { ending, reason, branch, commit, checks: [], proof: null },
    ),
  )
  expect(await rooms.get(child.id)).toMatchObject({ state: 'cancelled' })
  const next = await rooms.submit()
  expect(await rooms.claim(worker)).toMatchObject({ taskId: next.id })
})
