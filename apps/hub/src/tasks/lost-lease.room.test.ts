import { expect, test } from 'vitest'
import { openRooms, failed, type Rooms } from '../../test-support/rooms.ts'

async function leased(rooms: Rooms) {
  await rooms.submit()
  const worker = await rooms.worker('w')
  const lease = await rooms.claim(worker)
  if (lease === undefined) throw new Error('nothing was claimed')
  return { worker, ...lease, held: { id: 1, taskId: lease.taskId, epoch: lease.epoch } }
}

const expire = `update task_queue set lease_expires_at = now() - interval '1 ms' where worker_id is not null`

test('an expired lease is swept once, and its run ends as lost', async () => {
  const rooms = await openRooms()
  const { taskId } = await leased(rooms)
  await rooms.sql(expire)
  const other = await openRooms({ database: rooms.database })
  await Promise.all([rooms.runs.sweep(), other.runs.sweep()])
  await rooms.runs.sweep()
  expect(await rooms.get(taskId)).toMatchObject({ state: 'queued', worker: null, deadlineAt: null })
  expect(await rooms.sql('select losses, epoch from tasks')).toEqual([{ losses: 1, epoch: 1 }])
  expect(await rooms.sql('select ending, ended_at is not null as ended from runs')).toEqual([
    { ending: 'lost', ended: true },
  ])
  expect(await rooms.sql(`select 1 as n from events where kind = 'task.requeued'`)).toHaveLength(1)
})

test('a lease that is renewed is not swept', async () => {
  const rooms = await openRooms()
  const { taskId, epoch, worker, held } = await leased(rooms)
  await rooms.say(worker, { type: 'accept', ...held })
  await rooms.sql(expire)
  await rooms.say(worker, { type: 'renew', id: 1, leases: [{ taskId, epoch }] })
  await rooms.runs.sweep()
  expect(await rooms.get(taskId)).toMatchObject({ state: 'assigned', worker: 'w' })
})

test('a lost task keeps its place before those that came after it', async () => {
  const rooms = await openRooms()
  const first = await leased(rooms)
  await rooms.submit()
  await rooms.sql(expire)
  await rooms.runs.sweep()
  expect(await rooms.claim(await rooms.worker('other'))).toMatchObject({ taskId: first.taskId, epoch: 2 })
})

test('an assignment that is not accepted within 60 s goes to another worker although it is renewed', async () => {
  const rooms = await openRooms()
  const { taskId, epoch, worker } = await leased(rooms)
  const assignedAgo = (seconds: number) =>
    rooms.sql(`update task_queue set assigned_at = now() - make_interval(secs => $1)`, [seconds])
  await rooms.say(worker, { type: 'renew', id: 1, leases: [{ taskId, epoch }] })
  await assignedAgo(58)
  await rooms.runs.sweep()
  expect(await rooms.get(taskId)).toMatchObject({ state: 'assigned' })
  await assignedAgo(61)
  await rooms.runs.sweep()
  expect(await rooms.get(taskId)).toMatchObject({ state: 'queued' })
  expect(await rooms.sql('select reason from runs')).toEqual([{ reason: 'The lease ended: not accepted.' }])
})

test('an accepted assignment stays although it was assigned long ago', async () => {
  const rooms = await openRooms()
  const { taskId, worker, held } = await leased(rooms)
  await rooms.say(worker, { type: 'accept', ...held })
  await rooms.sql(`update task_queue set assigned_at = now() - interval '1 hour'`)
  await rooms.runs.sweep()
  expect(await rooms.get(taskId)).toMatchObject({ state: 'assigned' })
})

test('a deadline that the worker does not report within 20 s ends the task as timed out', async () => {
  const rooms = await openRooms()
  const { taskId, worker, held, runId } = await leased(rooms)
  await rooms.say(worker, { type: 'accept', ...held })
  await rooms.sql(`update task_queue set deadline_at = now() - interval '18 s'`)
  await rooms.runs.sweep()
  expect(await rooms.get(taskId)).toMatchObject({ state: 'assigned' })
  await rooms.sql(`update task_queue set deadline_at = now() - interval '21 s'`)
  await rooms.runs.sweep()
  expect(await rooms.get(taskId)).toMatchObject({ state: 'dead', ending: 'timed_out' })
  expect(await rooms.sql('select ending from runs')).toEqual([{ ending: 'timed_out' }])
  expect(await rooms.sql('select 1 from task_queue')).toEqual([])
  const late = { type: 'finish', ...held, runId, result: failed() } as const
  await expect(rooms.say(worker, late)).rejects.toMatchObject({ code: 'stale_epoch' })
})

test('the deadline is counted from the assignment and is the one the task names', async () => {
  const rooms = await openRooms()
  const task = await rooms.submit({ timeoutMs: 90_000 })
  expect(task.deadlineAt).toBeNull()
  await rooms.sql(`update tasks set created_at = now() - interval '1 day'`)
  await rooms.claim(await rooms.worker('w'))
  const [row] = await rooms.sql<{ s: number }>(
    'select extract(epoch from q.deadline_at - q.assigned_at)::float as s from task_queue q join tasks t on t.deadline_at = q.deadline_at',
  )
  expect(row?.s).toBe(90)
})

test('ten lost runs make a task dead, nine do not', async () => {
  const rooms = await openRooms()
  const { taskId } = await rooms.submit().then((task) => ({ taskId: task.id }))
  const worker = await rooms.worker('w')
  for (let n = 1; n <= 10; n++) {
    expect(await rooms.get(taskId)).toMatchObject({ state: 'queued' })
    expect(await rooms.claim(worker)).toMatchObject({ epoch: n })
    await rooms.sql(expire)
    await rooms.runs.sweep()
  }
  expect(await rooms.get(taskId)).toMatchObject({ state: 'dead', ending: 'lost', attempt: 10 })
  expect(await rooms.sql('select 1 from task_queue')).toEqual([])
  // People can give it another ten.
  expect(await rooms.retry(taskId)).toMatchObject({ state: 'queued' })
  expect(await rooms.sql('select losses from tasks')).toEqual([{ losses: 0 }])
})

test('a refusal for a missing wall never counts as a loss, any other does', async () => {
  const rooms = await openRooms()
  const task = await rooms.submit()
  const worker = await rooms.worker('w')
  const refuse = async (code: string) => {
    await rooms.sql(`update task_queue set not_before = '-infinity'`)
    const lease = await rooms.claim(worker)
    await rooms.say(worker, {
      type: 'refuse',
      id: 1,
      taskId: task.id,
      epoch: lease?.epoch ?? 0,
      code,
      reason: 'cannot',
    })
  }
  for (let n = 0; n < 12; n++) await refuse('sandbox_unavailable')
  expect(await rooms.get(task.id)).toMatchObject({ state: 'queued' })
  expect(await rooms.sql('select losses from tasks')).toEqual([{ losses: 0 }])
  for (let n = 0; n < 10; n++) await refuse('worker_failed')
  expect(await rooms.get(task.id)).toMatchObject({ state: 'dead', ending: 'lost' })
  const endings = await rooms.sql('select distinct ending from runs')
  expect(endings).toEqual([{ ending: 'refused' }])
})

test('a refused task is not claimed again at once, so that one broken worker does not spin', async () => {
  const rooms = await openRooms()
  const { worker, held } = await leased(rooms)
  await rooms.say(worker, { type: 'refuse', ...held, code: 'sandbox_unavailable', reason: 'no bubblewrap' })
  expect(await rooms.claim(worker)).toBeUndefined()
  await rooms.sql(`update task_queue set not_before = not_before - interval '5 s'`)
  expect(await rooms.claim(worker)).toBeDefined()
})

test('a worker that reports its own run as lost gives the task back', async () => {
  const rooms = await openRooms()
  const { taskId, worker, held, runId } = await leased(rooms)
  const finish = { type: 'finish', ...held, runId, result: failed({ ending: 'lost' }) } as const
  await rooms.say(worker, finish)
  expect(await rooms.get(taskId)).toMatchObject({ state: 'queued' })
  expect(await rooms.sql('select losses from tasks')).toEqual([{ losses: 1 }])
  expect(await rooms.say(worker, finish)).toEqual({})
  expect(await rooms.sql('select losses from tasks')).toEqual([{ losses: 1 }])
})

test('a sweep of one workspace ends the leases of every workspace', async () => {
  const rooms = await openRooms()
  const { taskId } = await leased(rooms)
  const other = '00000000-0000-7000-8000-000000000001'
  await rooms.sql(`insert into workspaces (id, name) values ($1, 'other')`, [other])
  for (const table of ['repos', 'workers', 'tasks', 'task_queue']) {
    const [columns] = await rooms.sql<{ list: string }>(
      `select string_agg(attname, ', ') as list from pg_attribute
       where attrelid = $1::regclass and attnum > 0 and attgenerated = '' and attname <> 'workspace_id'`,
      [`muster.${table}`],
    )
    await rooms.sql(
      `insert into ${table} (workspace_id, ${columns?.list}) select $1, ${columns?.list} from ${table}`,
      [other],
    )
  }
  await rooms.sql(expire)
  await rooms.runs.sweep()
  // Ids are never equal in two workspaces; here they are, to show that each row is ended in its own.
  expect(await rooms.sql('select state, losses from tasks where id = $1', [taskId])).toEqual([
    { state: 'queued', losses: 1 },
    { state: 'queued', losses: 1 },
  ])
})
