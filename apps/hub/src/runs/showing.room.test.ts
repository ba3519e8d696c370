import { maxBadMessages } from '@muster/contract/wire'
import { eventually } from '@muster/testkit/eventually'
import { expect, test } from 'vitest'
import { addRepo, startHub } from '../../test-support/hub.ts'
import { openRooms } from '../../test-support/rooms.ts'

const text = 'cloning'

test('progress is shown while the lease is held, and refused by an error that is not counted when it is gone', async () => {
  const hub = await startHub()
  await addRepo(hub.database, hub.workspaceId)
  const worker = await hub.worker()
  const { id } = await hub.call('createTask', { body: { repo: 'demo', title: 'A task', run: 'true' } })
  const { taskId, epoch } = await worker.assigned()
  const live = await hub.live()
  const shown = () => live.received.flatMap((each) => (each.type === 'progress' ? [each.text] : []))

  worker.post({ type: 'progress', taskId, epoch, text, percent: 10 })
  await eventually(() => shown().length === 1)
  worker.post({ type: 'progress', taskId, epoch: epoch + 1, text: 'of a newer epoch', percent: 20 })
  expect(await worker.complaint()).toMatchObject({ code: 'stale_epoch' })
  const other = await hub.worker()
  other.post({ type: 'progress', taskId, epoch, text: 'of another worker', percent: 20 })
  expect(await other.complaint()).toMatchObject({ code: 'stale_epoch' })

  await hub.call('cancelTask', { params: { task: id } })
  for (let at = 0; at <= maxBadMessages; at++) {
    worker.post({ type: 'progress', taskId, epoch, text: 'too late', percent: 30 })
    const said = await worker.complaint()
    expect(said).toMatchObject({ code: 'stale_epoch', message: expect.stringContaining(taskId) as string })
    expect(said.to).toBeUndefined()
  }
  expect(await worker.request({ type: 'renew', leases: [] })).toMatchObject({ ok: true })
  // Would have come before it, if it were shown.
  const next = await hub.call('createTask', { body: { repo: 'demo', title: 'Next', run: 'true' } })
  await eventually(() => live.events().some((event) => event.taskId === next.id))
  expect(shown()).toEqual([text])
})

async function running(limits = {}) {
  const rooms = await openRooms({ limits })
  const worker = await rooms.worker('w')
  await rooms.submit()
  const lease = await rooms.claim(worker)
  if (lease === undefined) throw new Error('nothing was claimed')
  const held = { taskId: lease.taskId, epoch: lease.epoch }
  await rooms.say(worker, { type: 'accept', id: 1, ...held })
  const tell = () => rooms.say(worker, { type: 'progress', ...held, text, percent: null })
  const silentFor = (seconds: number) =>
    rooms.sql(`update task_queue set progress_at = now() - make_interval(secs => $1)`, [seconds])
  return { rooms, worker, held, tell, silentFor }
}

test('a run that tells its progress is neither given up as stalled nor told of as quiet', async () => {
  const { rooms, held, tell, silentFor } = await running({ noProgressMs: 60_000, quietMs: 30_000 })
  await silentFor(61)
  await tell()
  await rooms.runs.sweep()
  await rooms.db.asSystem((tx) => rooms.leases.tellQuiet(tx))
  expect((await rooms.get(held.taskId)).state).toBe('assigned')
  expect(await rooms.sql(`select 1 from events where kind = 'task.quiet'`)).toEqual([])
  // The control: without a word it is both.
  await silentFor(61)
  await rooms.db.asSystem((tx) => rooms.leases.tellQuiet(tx))
  expect(await rooms.sql(`select 1 from events where kind = 'task.quiet'`)).toHaveLength(1)
  await tell()
  expect(await rooms.sql('select quiet_told from task_queue')).toEqual([{ quiet_told: false }])
  await silentFor(61)
  await rooms.runs.sweep()
  expect(await rooms.get(held.taskId)).toMatchObject({ state: 'dead', ending: 'stalled' })
})

test('progress that is told all the time is written once in a third of a lease, and locks nothing', async () => {
  const { rooms, tell, silentFor } = await running()
  // Who locks or writes a row leaves its transaction there.
  const row = async () => (await rooms.sql('select xmin::text, xmax::text, progress_at from task_queue'))[0]
  const first = await row()
  await Promise.all(Array.from({ length: 50 }, tell))
  expect(await row()).toEqual(first)
  await silentFor(5)
  const older = await row()
  await Promise.all(Array.from({ length: 50 }, tell))
  const written = await row()
  expect(written).not.toEqual(older)
  await Promise.all(Array.from({ length: 50 }, tell))
  expect(await row()).toEqual(written)
})
