import { expect, test } from 'vitest'
import { openRooms, failed, verified, commit, type Rooms, type TestWorker } from '../../test-support/rooms.ts'
import type { Hello } from '../agents/presence.ts'
import type { RunMessage } from '../agents/socket.ts'

const branch = 'muster/shell/a-task'

/** Accepts, is granted the branch and reports a proven end. */
async function finishVerified(
  rooms: Rooms,
  worker: TestWorker,
  lease: { taskId: string; epoch: number; runId: string; branch: string },
) {
  const held = { id: 1, taskId: lease.taskId, epoch: lease.epoch }
  await rooms.say(worker, { type: 'publish', ...held, branch: lease.branch, commit })
  await rooms.say(worker, { type: 'finish', ...held, runId: lease.runId, result: verified(lease.branch) })
}

async function leased(rooms: Rooms) {
  const task = await rooms.submit()
  const worker = await rooms.worker('w')
  const lease = await rooms.claim(worker)
  if (lease === undefined) throw new Error('nothing was claimed')
  return { task, worker, lease, held: { id: 1, taskId: lease.taskId, epoch: lease.epoch } }
}

async function kindsOf(rooms: Rooms, taskId: string): Promise<string[]> {
  const rows = await rooms.sql<{ kind: string }>(
    'select kind from events where task_id = $1 order by txid, seq',
    [taskId],
  )
  return rows.map((row) => row.kind)
}

const stale = { code: 'stale_epoch' }

test('tasks are claimed by lane and within a lane in the order they came', async () => {
  const rooms = await openRooms()
  const wanted = ['low', 'normal', 'urgent', 'high', 'normal', 'urgent'] as const
  for (const lane of wanted) await rooms.submit({ lane, title: `${lane} ${wanted.indexOf(lane)}` })
  const all = await rooms.sql<{ id: string; lane: number }>('select id, lane from tasks order by lane, id')
  const worker = await rooms.worker('w', 6)
  const order: string[] = []
  for (const _ of wanted) order.push((await rooms.claim(worker))?.taskId ?? '')
  expect(order).toEqual(all.map((task) => task.id))
  expect(await rooms.claim(worker)).toBeUndefined()
})

test('two hubs that assign at the same time lease each of 50 tasks once', async () => {
  const limits = { maxRunning: 1_000 }
  const one = await openRooms({ limits })
  const two = await openRooms({ limits, database: one.database })
  for (const [rooms, name] of [
    [one, 'a'],
    [two, 'b'],
  ] as const) {
    rooms.agents.connections.add((await rooms.worker(name, 25)).connection)
  }
  // Once without a task, so that both have their connections to the database and neither is done before the other begins.
  await Promise.all([one.assign(), two.assign()])
  for (let n = 0; n < 50; n++) await one.submit()
  await Promise.all([one.assign(), two.assign()])
  const runs = await one.sql<{ task_id: string; epoch: number; worker: string }>('select * from runs')
  expect(new Set(runs.map((run) => run.task_id)).size).toBe(50)
  expect(runs).toHaveLength(50)
  expect(runs.every((run) => run.epoch === 1)).toBe(true)
  expect(runs.filter((run) => run.worker === 'a')).toHaveLength(25)
})

test('a worker gets no more tasks than it has slots, and none for a wall that does not work', async () => {
  const rooms = await openRooms()
  for (let n = 0; n < 5; n++) await rooms.submit()
  const broken = await rooms.worker('broken', 9)
  broken.connection.walls = [{ kind: 'namespace', ok: false, detail: 'no user namespaces' }]
  rooms.agents.connections.add(broken.connection)
  await rooms.assign()
  expect(broken.sent).toEqual([])
  const good = await rooms.worker('good', 2)
  rooms.agents.connections.add(good.connection)
  await rooms.assign()
  await rooms.assign()
  expect(good.sent).toHaveLength(2)
})

test('a write of a run is refused after a cancel and changes nothing', async () => {
  const rooms = await openRooms()
  const { worker, lease, held } = await leased(rooms)
  await rooms.cancel(lease.taskId)
  const before = await rooms.get(lease.taskId)
  expect(before.epoch).toBe(lease.epoch + 1)
  const messages: RunMessage[] = [
    { type: 'accept', ...held },
    { type: 'phase', ...held, phase: 'running' },
    { type: 'output', ...held, batch: 0, chunks: [{ stream: 'stdout', text: 'late' }] },
    { type: 'publish', ...held, branch, commit },
    { type: 'refuse', ...held, code: 'x', reason: 'x' },
    { type: 'finish', ...held, runId: lease.runId, result: verified(branch) },
  ]
  for (const message of messages) {
    await expect(rooms.say(worker, message), message.type).rejects.toMatchObject(stale)
  }
  expect(await rooms.get(lease.taskId)).toEqual(before)
  expect(await rooms.sql('select 1 from run_output')).toEqual([])
  expect(await rooms.sql('select ending, commit from runs')).toEqual([{ ending: 'cancelled', commit: null }])
  expect(await kindsOf(rooms, lease.taskId)).toEqual([
    'task.created',
    'task.assigned',
    'task.cancelled',
    'run.refused_stale',
  ])
})

test('a result with an old epoch is refused and the newer run keeps its lease', async () => {
  const rooms = await openRooms()
  const { worker: first, lease: old, held } = await leased(rooms)
  await rooms.sql(`update task_queue set lease_expires_at = now() - interval '1 s'`)
  await rooms.runs.sweep()
  const second = await rooms.worker('second')
  const newer = await rooms.claim(second)
  expect(newer).toMatchObject({ taskId: old.taskId, epoch: old.epoch + 1 })
  const late = { type: 'finish', ...held, runId: old.runId, result: verified(branch) } as const
  await expect(rooms.say(first, late)).rejects.toMatchObject(stale)
  // Neither with the old epoch under another name nor with the new one does a run pass that is not its holder.
  await expect(rooms.say(second, late)).rejects.toMatchObject(stale)
  await expect(rooms.say(first, { ...late, epoch: old.epoch + 1 })).rejects.toMatchObject(stale)
  expect(await rooms.get(old.taskId)).toMatchObject({
    state: 'assigned',
    worker: 'second',
    runId: newer?.runId,
  })
  if (newer !== undefined) await finishVerified(rooms, second, newer)
  expect(await rooms.get(old.taskId)).toMatchObject({ state: 'done', ending: 'verified', commit })
})

test('a run that was cancelled cannot write into the task after its retry', async () => {
  const rooms = await openRooms()
  const { worker, lease, held } = await leased(rooms)
  await rooms.cancel(lease.taskId)
  await rooms.retry(lease.taskId)
  await expect(rooms.say(worker, { type: 'accept', ...held })).rejects.toMatchObject(stale)
  const again = await rooms.claim(worker)
  expect(again?.epoch).toBeGreaterThan(lease.epoch)
  await expect(rooms.say(worker, { type: 'phase', ...held, phase: 'running' })).rejects.toMatchObject(stale)
  expect(await rooms.get(lease.taskId)).toMatchObject({ state: 'assigned', attempt: 2 })
})

test('a run that names the lease of one task cannot finish the run of another', async () => {
  const rooms = await openRooms()
  await rooms.submit()
  await rooms.submit()
  const worker = await rooms.worker('w', 2)
  const one = await rooms.claim(worker)
  const two = await rooms.claim(worker)
  if (one === undefined || two === undefined) throw new Error('both should be claimed')
  const crossed = { type: 'finish', id: 1, taskId: one.taskId, epoch: one.epoch, runId: two.runId } as const
  await expect(rooms.say(worker, { ...crossed, result: failed() })).rejects.toMatchObject({
    code: 'protocol_violation',
  })
  expect(await rooms.get(one.taskId)).toMatchObject({ state: 'assigned' })
})

test('a finish that is repeated is answered yes and writes nothing twice', async () => {
  const rooms = await openRooms()
  const { worker, lease, held } = await leased(rooms)
  await finishVerified(rooms, worker, lease)
  const before = await rooms.get(lease.taskId)
  const again = { type: 'finish', ...held, runId: lease.runId, result: verified(branch) } as const
  expect(await Promise.all([rooms.say(worker, again), rooms.say(worker, again)])).toEqual([{}, {}])
  expect(await rooms.get(lease.taskId)).toEqual(before)
  expect(await rooms.sql('select task_id from evidence')).toEqual([{ task_id: lease.taskId }])
  expect(await kindsOf(rooms, lease.taskId)).toEqual([
    'task.created',
    'task.assigned',
    'run.publish_granted',
    'task.done',
  ])
})

test('two equal finishes at the same moment end the task once and both are answered yes', async () => {
  const rooms = await openRooms()
  const { worker, lease, held } = await leased(rooms)
  await rooms.say(worker, { type: 'publish', ...held, branch: lease.branch, commit })
  const finish = { type: 'finish', ...held, runId: lease.runId, result: verified(lease.branch) } as const
  expect(await Promise.all([1, 2, 3, 4].map(() => rooms.say(worker, finish)))).toEqual([{}, {}, {}, {}])
  expect((await kindsOf(rooms, lease.taskId)).filter((kind) => kind === 'task.done')).toHaveLength(1)
})

test('a finish with another result after the end is refused and leaves only a trace', async () => {
  const rooms = await openRooms()
  const { worker, lease, held } = await leased(rooms)
  await finishVerified(rooms, worker, lease)
  const before = await rooms.get(lease.taskId)
  const finish = { type: 'finish', ...held, runId: lease.runId } as const
  await expect(rooms.say(worker, { ...finish, result: failed() })).rejects.toMatchObject(stale)
  const otherCommit = verified(branch, { commit: 'd'.repeat(40) })
  await expect(rooms.say(worker, { ...finish, result: otherCommit })).rejects.toMatchObject(stale)
  const otherEnding = verified(branch, { ending: 'partial_pass' })
  await expect(rooms.say(worker, { ...finish, result: otherEnding })).rejects.toMatchObject(stale)
  expect(await rooms.get(lease.taskId)).toEqual(before)
  expect((await kindsOf(rooms, lease.taskId)).slice(-4)).toEqual([
    'task.done',
    'run.refused_stale',
    'run.refused_stale',
    'run.refused_stale',
  ])
})

test('renewing keeps a lease, and names those that are gone', async () => {
  const rooms = await openRooms()
  const { worker, lease } = await leased(rooms)
  const other = await rooms.submit()
  await rooms.sql(
    `update task_queue set lease_expires_at = now() + interval '1 s' where worker_id is not null`,
  )
  const kept = { taskId: lease.taskId, epoch: lease.epoch }
  const gone = [
    { taskId: other.id, epoch: 1 },
    { taskId: lease.taskId, epoch: lease.epoch + 1 },
  ]
  expect(await rooms.say(worker, { type: 'renew', id: 1, leases: [kept, ...gone] })).toEqual({ lost: gone })
  const left = await rooms.sql<{ s: number }>(
    'select extract(epoch from lease_expires_at - now())::float as s from task_queue where worker_id is not null',
  )
  expect(left[0]?.s).toBeGreaterThan(8)
  const stranger = await rooms.worker('stranger')
  expect(await rooms.say(stranger, { type: 'renew', id: 1, leases: [kept] })).toEqual({ lost: [kept] })
})

test('output that is sent twice is stored once and in order, with NUL made visible', async () => {
  const rooms = await openRooms()
  const { worker, held } = await leased(rooms)
  const batch = (n: number, ...texts: string[]) =>
    rooms.say(worker, {
      type: 'output',
      ...held,
      batch: n,
      chunks: texts.map((text) => ({ stream: 'stdout', text })),
    })
  await batch(0, 'a', 'b\0')
  await batch(1, 'c')
  await batch(0, 'a', 'b\0')
  expect(await rooms.sql('select text from run_output order by seq')).toEqual([
    { text: 'a' },
    { text: 'b\uFFFD' },
    { text: 'c' },
  ])
})

test('a restarted worker is told for each run whether to go on, and a run it lost is given back', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w', 3)
  for (let n = 0; n < 3; n++) await rooms.submit()
  const [going, lost, gone] = [
    await rooms.claim(worker),
    await rooms.claim(worker),
    await rooms.claim(worker),
  ]
  if (going === undefined || lost === undefined || gone === undefined)
    throw new Error('all should be claimed')
  await rooms.cancel(gone.taskId)
  const hello: Hello = {
    type: 'hello',
    id: 1,
    wire: 1,
    instance: 'w',
    version: '0',
    host: 'h',
    slots: 3,
    capabilities: [],
    walls: [],
    holding: [
      { ...going, phase: 'running' },
      { ...lost, phase: 'lost' },
      { ...gone, phase: 'running' },
      { ...gone, phase: 'finished' },
    ],
  }
  const decisions = await rooms.inWorkspace((tx) => rooms.runs.handler.decide(tx, worker.actor, hello))
  expect(decisions.map((decision) => decision.action)).toEqual(['continue', 'abort', 'abort', 'continue'])
  expect(await rooms.get(going.taskId)).toMatchObject({ state: 'assigned' })
  expect(await rooms.get(lost.taskId)).toMatchObject({ state: 'queued' })
  expect(await rooms.sql('select ending from runs where id = $1', [lost.runId])).toEqual([{ ending: 'lost' }])
})
