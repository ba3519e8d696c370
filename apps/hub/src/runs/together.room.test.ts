import { expect, test } from 'vitest'
import type { Assignment } from '@muster/contract/wire'
import { failed, openRooms, verified, type Rooms, type TestWorker } from '../../test-support/rooms.ts'

type Lease = { taskId: string; epoch: number; runId: string; branch: string }

/** So many tasks, all leased to one worker that has accepted them and may publish. */
async function running(count: number) {
  const rooms = await openRooms({ limits: { maxRunning: 100 } })
  for (let at = 0; at < count; at += 1) await rooms.submit({ title: `task ${at}` })
  const worker = await rooms.worker('w', count)
  rooms.agents.connections.add(worker.connection)
  await rooms.assign()
  const leases = (worker.sent as { type: string; assignment: Assignment }[]).map(
    ({ assignment: { taskId, epoch, runId, branch } }) => ({ taskId, epoch, runId, branch }),
  )
  expect(leases).toHaveLength(count)
  return { rooms, worker, leases }
}

const held = ({ taskId, epoch }: Lease) => ({ id: 1, taskId, epoch })
const accept = (rooms: Rooms, worker: TestWorker, lease: Lease) =>
  rooms.say(worker, { type: 'accept', ...held(lease) })
const publish = (rooms: Rooms, worker: TestWorker, lease: Lease) =>
  rooms.say(worker, { type: 'publish', ...held(lease), branch: lease.branch, commit: 'c'.repeat(40) })
const finish = (rooms: Rooms, worker: TestWorker, lease: Lease, result = verified(lease.branch)) =>
  rooms.say(worker, { type: 'finish', ...held(lease), runId: lease.runId, result })

const settled = async (calls: Promise<unknown>[]) =>
  (await Promise.allSettled(calls)).map((each) =>
    each.status === 'fulfilled' ? 'yes' : (each.reason as { code?: string }).code,
  )

test('runs that report at one moment share few transactions, each with its events and its evidence', async () => {
  const { rooms, worker, leases } = await running(30)
  for (const verb of [accept, publish, finish]) {
    await Promise.all(leases.map((lease) => verb(rooms, worker, lease)))
  }
  const [row] = await rooms.sql<{ transactions: number; proofs: number }>(
    'select count(distinct xmin::text)::int as transactions, count(*)::int as proofs from evidence',
  )
  expect(row?.proofs).toBe(30)
  expect(row?.transactions).toBeLessThan(6)
  for (const kind of ['task.accepted', 'run.publish_granted', 'task.done']) {
    const told = await rooms.sql<{ task_id: string }>('select task_id from events where kind = $1', [kind])
    expect(told.map((each) => each.task_id).toSorted()).toEqual(
      leases.map((lease) => lease.taskId).toSorted(),
    )
  }
  expect(await rooms.sql('select 1 as n from task_queue')).toEqual([])
})

test('a stale, an unproven, a foreign and a failed report among good ones are each answered for themselves', async () => {
  const { rooms, worker, leases } = await running(8)
  await Promise.all(leases.map((lease) => publish(rooms, worker, lease)))
  const [good, stale, unproven, foreign, dead, again, elsewhere, last] = leases as [
    Lease,
    Lease,
    Lease,
    Lease,
    Lease,
    Lease,
    Lease,
    Lease,
  ]
  const answers = await settled([
    finish(rooms, worker, good),
    finish(rooms, worker, { ...stale, epoch: 7 }),
    finish(rooms, worker, unproven, verified(unproven.branch, { report: null })),
    finish(rooms, worker, { ...foreign, runId: good.runId }),
    finish(rooms, worker, dead, failed()),
    finish(rooms, worker, again),
    finish(rooms, worker, again),
    publish(rooms, worker, { ...elsewhere, branch: 'main' }),
    finish(rooms, worker, last),
  ])
  expect(answers).toEqual([
    'yes',
    'stale_epoch',
    'protocol_violation',
    'protocol_violation',
    'yes',
    // Said twice, as after a lost connection: recorded once and answered twice.
    'yes',
    'yes',
    'protocol_violation',
    'yes',
  ])
  const states = await Promise.all(leases.map(async ({ taskId }) => (await rooms.get(taskId)).state))
  expect(states).toEqual(['done', 'assigned', 'assigned', 'assigned', 'dead', 'done', 'assigned', 'done'])
  expect(await rooms.sql(`select 1 as n from events where kind = 'task.done'`)).toHaveLength(3)
  expect(await rooms.sql('select 1 as n from evidence')).toHaveLength(3)
})

test('an older run and the newer one of a task that report together: only the newer is heard', async () => {
  const { rooms, worker, leases } = await running(1)
  const [old] = leases as [Lease]
  await rooms.say(worker, { type: 'refuse', ...held(old), code: 'busy', reason: 'no' })
  await rooms.sql(`update task_queue set not_before = '-infinity'`)
  await rooms.assign()
  const newer = { ...old, ...(worker.sent as { assignment: Lease }[])[1]?.assignment } as Lease
  expect(newer.epoch).toBeGreaterThan(old.epoch)
  expect(await settled([accept(rooms, worker, old), accept(rooms, worker, newer)])).toEqual([
    'stale_epoch',
    'yes',
  ])
})

test('tasks that wait for several which end in one transaction are released once', async () => {
  const { rooms, worker, leases } = await running(3)
  const child = await rooms.submit({ title: 'child', after: leases.map((lease) => lease.taskId) })
  await Promise.all(leases.map((lease) => publish(rooms, worker, lease)))
  await Promise.all(leases.map((lease) => finish(rooms, worker, lease)))
  expect((await rooms.get(child.id)).state).toBe('queued')
  expect(await rooms.sql(`select 1 as n from events where kind = 'task.released'`)).toHaveLength(1)
})
