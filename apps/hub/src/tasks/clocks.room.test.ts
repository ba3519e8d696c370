import type { Event } from '@muster/contract/events'
import { expect, test } from 'vitest'
import { failed, openRooms, verified, type Rooms } from '../../test-support/rooms.ts'

const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
const expire = (rooms: Rooms) => rooms.db.asSystem(rooms.runs.expire)
const rebalance = (rooms: Rooms) => rooms.db.asSystem(rooms.leases.rebalance)
const tellQuiet = (rooms: Rooms) => rooms.db.asSystem(rooms.leases.tellQuiet)

const events = async (rooms: Rooms, kind: Event['kind']) =>
  (
    await rooms.sql<{ data: Event['data'] }>('select data from events where kind = $1 order by seq', [kind])
  ).map((row) => row.data)

const past = (rooms: Rooms, column: 'expires_at' | 'complete_by', seconds = 1) =>
  rooms.sql(
    `update task_queue set ${column} = now() - make_interval(secs => $1) where ${column} is not null`,
    [seconds],
  )

test('a task that nobody claimed within its time to live is dead and says so, and no other is', async () => {
  const rooms = await openRooms()
  const [short, long, none] = [
    await rooms.submit({ ttlMs: 120_000 }),
    await rooms.submit({ ttlMs: 120_001 }),
    await rooms.submit(),
  ]
  await expire(rooms)
  expect(await rooms.get(short.id)).toMatchObject({ state: 'queued' })
  await rooms.sql(`update task_queue set expires_at = now() - interval '1 ms' where task_id = $1`, [short.id])
  await expire(rooms)
  expect(await rooms.get(short.id)).toMatchObject({
    state: 'dead',
    ending: 'timed_out',
    reason: 'Nobody claimed it within 2 min.',
    epoch: 1,
  })
  expect(await rooms.get(long.id)).toMatchObject({ state: 'queued' })
  expect(await rooms.get(none.id)).toMatchObject({ state: 'queued' })
  expect(await events(rooms, 'task.dead')).toMatchObject([{ ending: 'timed_out', epoch: 0 }])
})

test('a task that was claimed and given back is not dead for want of a claim', async () => {
  const rooms = await openRooms()
  const { id } = await rooms.submit({ ttlMs: 1_000 })
  await rooms.claim(await rooms.worker('w'))
  await past(rooms, 'expires_at')
  await rooms.sql(`update task_queue set lease_expires_at = now() - interval '1 s'`)
  await rooms.runs.sweep()
  await past(rooms, 'expires_at')
  await expire(rooms)
  expect(await rooms.get(id)).toMatchObject({ state: 'queued', expiresAt: null })
})

test('a task is not handed out when its time is over, although nobody has ended it yet', async () => {
  const rooms = await openRooms()
  await rooms.submit({ ttlMs: 1_000 })
  await rooms.submit({ completeBy: inHours(1) })
  await past(rooms, 'expires_at')
  await past(rooms, 'complete_by')
  const worker = await rooms.worker('w')
  expect(await rooms.claim(worker)).toBeUndefined()
  const { id } = await rooms.submit({ completeBy: inHours(1), ttlMs: 60_000 })
  expect(await rooms.claim(worker)).toMatchObject({ taskId: id })
})

test('what is overdue is dead wherever it is: queued, waiting for another, or leased', async () => {
  const rooms = await openRooms()
  const completeBy = inHours(1)
  const leased = await rooms.submit({ completeBy })
  const worker = await rooms.worker('w')
  const lease = await rooms.claim(worker)
  const parent = await rooms.submit()
  const waiting = await rooms.submit({ completeBy, after: [parent.id] })
  const queued = await rooms.submit({ completeBy })
  const later = await rooms.submit({ completeBy: inHours(2) })
  await expire(rooms)
  expect(await rooms.sql(`select 1 from tasks where state = 'dead'`)).toEqual([])

  await rooms.sql(`update tasks set complete_by = now() - interval '21 s' where id <> $1`, [later.id])
  await rooms.sql(
    `update task_queue q set complete_by = t.complete_by from tasks t where t.id = q.task_id and t.id <> $1`,
    [parent.id],
  )
  await expire(rooms)
  for (const { id } of [leased, waiting, queued]) {
    const task = await rooms.get(id)
    expect(task).toMatchObject({ state: 'dead', ending: 'timed_out' })
    expect(task.reason).toMatch(/^It was to be complete by 20/)
  }
  expect(await rooms.get(later.id)).toMatchObject({ state: 'queued' })
  expect(await rooms.get(parent.id)).toMatchObject({ state: 'queued' })
  expect(await events(rooms, 'task.dead')).toHaveLength(3)
  // Its run has ended with it, and what it still says is refused.
  expect(await rooms.sql('select ending from runs')).toEqual([{ ending: 'timed_out' }])
  const { taskId, epoch, runId, branch } = lease ?? failedToClaim()
  await expect(
    rooms.say(worker, { type: 'finish', id: 1, taskId, epoch, runId, result: verified(branch) }),
  ).rejects.toMatchObject({ code: 'stale_epoch' })
  expect(await rooms.get(taskId)).toMatchObject({ state: 'dead' })
})

test('whoever holds an overdue task has 20 s to say itself how its run ended, and is told to stop after that', async () => {
  const rooms = await openRooms()
  await rooms.submit({ completeBy: inHours(1) })
  const worker = await rooms.worker('w')
  const { taskId, epoch, runId } = (await rooms.claim(worker)) ?? failedToClaim()
  await past(rooms, 'complete_by', 18)
  await expire(rooms)
  expect(await rooms.get(taskId)).toMatchObject({ state: 'assigned' })
  rooms.agents.connections.add(worker.connection)
  await past(rooms, 'complete_by', 21)
  await expire(rooms)
  expect(worker.sent.at(-1)).toMatchObject({ type: 'cancel', taskId, epoch })
  await expect(
    rooms.say(worker, { type: 'finish', id: 1, taskId, epoch, runId, result: failed() }),
  ).rejects.toMatchObject({ code: 'stale_epoch' })
})

test('two hubs that end what is overdue end each task once, hundreds of them in one go', async () => {
  const rooms = await openRooms()
  const other = await openRooms({ database: rooms.database })
  for (let n = 0; n < 230; n++) await rooms.submit({ ttlMs: 1_000 })
  await past(rooms, 'expires_at')
  await Promise.all([expire(rooms), expire(other)])
  await expire(rooms)
  expect(await rooms.sql('select state, epoch, count(*)::int as n from tasks group by 1, 2')).toEqual([
    { state: 'dead', epoch: 1, n: 230 },
  ])
  expect(await events(rooms, 'task.dead')).toHaveLength(230)
  expect(await rooms.sql('select 1 from task_queue')).toEqual([])
}, 60_000)

test('an overdue task that is being finished at that moment is left to its worker', async () => {
  const rooms = await openRooms()
  await rooms.submit({ completeBy: inHours(1) })
  const worker = await rooms.worker('w')
  const { taskId, epoch } = (await rooms.claim(worker)) ?? failedToClaim()
  await past(rooms, 'complete_by', 60)
  await rooms.inWorkspace(async (tx) => {
    await rooms.leases.mustHold(tx, worker.actor, { taskId, epoch, workerId: worker.connection.workerId })
    await expire(rooms)
  })
  expect(await rooms.get(taskId)).toMatchObject({ state: 'assigned' })
  await expire(rooms)
  expect(await rooms.get(taskId)).toMatchObject({ state: 'dead' })
})

test('people are told once of each silence of a run, with its length and its worker', async () => {
  const rooms = await openRooms()
  await rooms.submit()
  const worker = await rooms.worker('w')
  const { taskId, epoch } = (await rooms.claim(worker)) ?? failedToClaim()
  const silentFor = (minutes: number) =>
    rooms.sql('update task_queue set progress_at = now() - make_interval(mins => $1)', [minutes])
  await rooms.say(worker, { type: 'accept', id: 1, taskId, epoch })
  await silentFor(4)
  await tellQuiet(rooms)
  expect(await events(rooms, 'task.quiet')).toEqual([])
  await silentFor(6)
  const other = await openRooms({ database: rooms.database })
  await Promise.all([tellQuiet(rooms), tellQuiet(other)])
  await tellQuiet(rooms)
  expect(await events(rooms, 'task.quiet')).toEqual([{ worker: 'w', sinceMs: expect.any(Number) }])
  expect((await events(rooms, 'task.quiet'))[0]?.['sinceMs']).toBeGreaterThan(359_000)
  await rooms.say(worker, { type: 'phase', id: 1, taskId, epoch, phase: 'running' })
  await silentFor(6)
  await tellQuiet(rooms)
  expect(await events(rooms, 'task.quiet')).toHaveLength(2)
})

test('a task that waits moves up by its age, with one event for each change, and keeps its place by age there', async () => {
  const rooms = await openRooms()
  const old = await rooms.submit({ lane: 'low' })
  const young = await rooms.submit({ lane: 'normal' })
  const waited = (id: string, minutes: number) =>
    rooms.sql('update task_queue set lane_since = now() - make_interval(mins => $2) where task_id = $1', [
      id,
      minutes,
    ])
  await waited(old.id, 9)
  await rebalance(rooms)
  expect(await events(rooms, 'task.lane_raised')).toEqual([])
  await waited(old.id, 11)
  await rebalance(rooms)
  await rebalance(rooms)
  expect(await rooms.get(old.id)).toMatchObject({ lane: 'normal' })
  await waited(old.id, 21)
  await rebalance(rooms)
  await waited(old.id, 600)
  await rebalance(rooms)
  expect(await rooms.get(old.id)).toMatchObject({ lane: 'high' })
  expect(await rooms.get(young.id)).toMatchObject({ lane: 'normal' })
  expect(await events(rooms, 'task.lane_raised')).toEqual([
    { from: 'low', to: 'normal', why: 'It has waited for 11 min in this lane.' },
    { from: 'normal', to: 'high', why: 'It has waited for 21 min in this lane.' },
  ])
  const highButYounger = await rooms.submit({ lane: 'high' })
  const worker = await rooms.worker('w')
  const order = [await rooms.claim(worker), await rooms.claim(worker), await rooms.claim(worker)]
  expect(order.map((lease) => lease?.taskId)).toEqual([old.id, highButYounger.id, young.id])
})

test('time in which a task could not have been taken does not age it', async () => {
  const rooms = await openRooms()
  const { id } = await rooms.submit({ lane: 'low' })
  const laneIs = async (lane: string) => expect(await rooms.get(id)).toMatchObject({ lane })
  await rooms.sql(
    `update task_queue set lane_since = now() - interval '1 hour', not_before = now() - interval '5 min'`,
  )
  await rebalance(rooms)
  await laneIs('low')
  await rooms.inWorkspace((tx) => rooms.tasks.queue.pause(tx, rooms.person))
  await rooms.sql(`update task_queue set not_before = now() - interval '15 min'`)
  await rebalance(rooms)
  await laneIs('low')
  await rooms.inWorkspace((tx) => rooms.tasks.queue.resume(tx, rooms.person))
  await rebalance(rooms)
  await laneIs('normal')
})

test('what is due within ten minutes becomes urgent, and what three others wait for moves up once', async () => {
  const rooms = await openRooms()
  const due = await rooms.submit({ lane: 'low', completeBy: new Date(Date.now() + 9 * 60_000).toISOString() })
  const notDue = await rooms.submit({
    lane: 'low',
    completeBy: new Date(Date.now() + 11 * 60_000).toISOString(),
  })
  const needed = await rooms.submit({ lane: 'low' })
  for (let n = 0; n < 2; n++) await rooms.submit({ after: [needed.id] })
  await rebalance(rooms)
  expect((await rooms.get(needed.id)).lane).toBe('low')
  for (let n = 0; n < 2; n++) await rooms.submit({ after: [needed.id] })
  for (let n = 0; n < 4; n++) await rebalance(rooms)
  expect((await rooms.get(due.id)).lane).toBe('urgent')
  expect((await rooms.get(notDue.id)).lane).toBe('low')
  expect((await rooms.get(needed.id)).lane).toBe('normal')
  expect((await events(rooms, 'task.lane_raised')).map(({ why }) => why)).toEqual([
    expect.stringMatching(/^It is to be complete by 20/),
    '4 tasks wait for it.',
  ])
})

test('no more than a hundred tasks move up at a time, the longest waiting first, whatever the hubs', async () => {
  const rooms = await openRooms()
  const other = await openRooms({ database: rooms.database })
  for (let n = 0; n < 130; n++) await rooms.submit({ lane: 'low' })
  await rooms.sql(`update task_queue set lane_since = enqueued_at - interval '15 min'`)
  await rebalance(rooms)
  const raised = await rooms.sql<{ n: number }>('select count(*)::int as n from task_queue where lane = 2')
  expect(raised).toEqual([{ n: 100 }])
  expect(
    await rooms.sql(`select 1 from task_queue q join task_queue p on q.lane = 3 and p.lane = 2
                     where q.enqueued_at < p.enqueued_at`),
  ).toEqual([])
  await Promise.all([rebalance(rooms), rebalance(other)])
  expect(await events(rooms, 'task.lane_raised')).toHaveLength(130)
}, 60_000)

function failedToClaim(): never {
  throw new Error('nothing was claimed')
}
