import type { Event } from '@muster/contract/events'
import type { HeldRun } from '@muster/contract/wire'
import { expect, test } from 'vitest'
import { eventually } from '@muster/testkit/eventually'
import { session } from '../../test-support/database.ts'
import { addRepo, startHub, type TestHub } from '../../test-support/hub.ts'
import { failed } from '../../test-support/rooms.ts'
import { goodWall } from '../../test-support/worker-client.ts'
import { systemActor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'

const brokenWall = { ...goodWall, ok: false }

async function changes(hub: TestHub): Promise<string[]> {
  const { items } = await hub.call('listEvents', { query: { limit: '500' } })
  return items.flatMap(({ kind, data }: Event) =>
    kind === 'worker.state_changed' ? `${String(data['from'])} → ${String(data['to'])}` : [],
  )
}

async function stateOf(hub: TestHub, id: string): Promise<string> {
  const found = (await hub.call('listWorkers')).items.find((worker) => worker.id === id)
  return found?.state ?? 'unknown'
}

/** As the rooms above do at the end of the transaction that changes a lease. */
function settle(hub: TestHub, workerId: string, change: (tx: Tx) => Promise<unknown> = async () => {}) {
  const { db, agents } = hub.hub
  return db.inWorkspace(hub.workspaceId, async (tx) => {
    await change(tx)
    await agents.settle(tx, systemActor(hub.workspaceId), workerId, 'A test says so.')
  })
}

test('what a worker does is recorded from its first hello to its leaving, over a lost connection too', async () => {
  const hub = await startHub()
  await addRepo(hub.database, hub.workspaceId)
  const token = await hub.workerToken('w')
  const worker = await hub.worker({ token })
  const id = worker.welcome?.workerId ?? ''
  expect(await stateOf(hub, id)).toBe('idle')

  await hub.call('createTask', { body: { repo: 'demo', title: 'T', run: 'true' } })
  const { taskId, epoch, runId } = await worker.assigned()
  await settle(hub, id)
  expect(await stateOf(hub, id)).toBe('assigned')
  await worker.request({ type: 'accept', taskId, epoch })
  await settle(hub, id)
  expect(await stateOf(hub, id)).toBe('working')
  await worker.request({ type: 'walls', walls: [brokenWall] })
  expect(await stateOf(hub, id)).toBe('blocked')
  await worker.request({ type: 'walls', walls: [goodWall] })
  expect(await stateOf(hub, id)).toBe('working')
  await worker.close()
  await expect.poll(() => stateOf(hub, id)).toBe('offline')

  const holding: HeldRun[] = [{ taskId, epoch, runId, phase: 'running' }]
  const back = await hub.worker({ token, holding })
  expect(await stateOf(hub, id)).toBe('working')
  await back.request({ type: 'finish', taskId, epoch, runId, result: failed() })
  await settle(hub, id)
  await settle(hub, id)
  expect(await stateOf(hub, id)).toBe('idle')
  expect(await changes(hub)).toEqual([
    'offline → idle',
    'idle → assigned',
    'assigned → working',
    'working → blocked',
    'blocked → working',
    'working → offline',
    'offline → idle',
    'idle → assigned',
    'assigned → working',
    'working → idle',
  ])
})

test('a worker that did not take its task in time is flagged until it takes one', async () => {
  const hub = await startHub()
  await addRepo(hub.database, hub.workspaceId)
  const token = await hub.workerToken('w')
  const worker = await hub.worker({ token })
  const id = worker.welcome?.workerId ?? ''
  const flaggedAt = async () => (await hub.call('listWorkers')).items[0]?.flaggedAt
  expect(await flaggedAt()).toBeNull()
  await settle(hub, id, (tx) => hub.hub.agents.flag(tx, systemActor(hub.workspaceId), id))
  await worker.close()
  const back = await hub.worker({ token })
  expect(await flaggedAt()).toEqual(expect.any(String))
  await hub.call('createTask', { body: { repo: 'demo', title: 'T', run: 'true' } })
  const { taskId, epoch } = await back.assigned()
  await settle(hub, id)
  expect(await flaggedAt()).toEqual(expect.any(String))
  await back.request({ type: 'accept', taskId, epoch })
  await settle(hub, id)
  expect(await flaggedAt()).toBeNull()
})

test('a worker that comes back before its older connection is recorded as gone stays present', async () => {
  const hub = await startHub({ loops: false })
  const token = await hub.workerToken('w')
  const older = await hub.worker({ token })
  const lock = await session(hub.database.url)
  const waiting = async () => {
    const [row] = await hub.sql<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return row?.n ?? 0
  }
  // Its hello first, then the end of the older connection: both wait for the row.
  await lock.query('begin; select * from workers for update')
  const newer = hub.worker({ token })
  await eventually(async () => (await waiting()) === 1)
  await older.close()
  await new Promise((resolve) => setTimeout(resolve, 300))
  await lock.query('rollback')
  const { welcome } = await newer
  expect(welcome).toBeDefined()
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect((await hub.call('listWorkers')).items).toMatchObject([{ name: 'w', connected: true, state: 'idle' }])
})

test('a worker without a working wall and without a task is idle, and one whose disk is full beside a task blocked', async () => {
  const hub = await startHub()
  await addRepo(hub.database, hub.workspaceId)
  const idle = await hub.worker({ walls: [brokenWall] })
  expect(await stateOf(hub, idle.welcome?.workerId ?? '')).toBe('idle')
  const worker = await hub.worker()
  const id = worker.welcome?.workerId ?? ''
  await hub.call('createTask', { body: { repo: 'demo', title: 'T', run: 'true' } })
  const { taskId, epoch } = await worker.assigned()
  await worker.request({ type: 'accept', taskId, epoch })
  const supervisor = { kind: 'none' as const }
  const blocked = { code: 'disk_full' as const, reason: 'The disk is full.' }
  await worker.request({ type: 'condition', supervisor, blocked })
  expect(await stateOf(hub, id)).toBe('blocked')
  await worker.request({ type: 'condition', supervisor, blocked: null })
  expect(await stateOf(hub, id)).toBe('working')
})

test('two leases of one worker that change at the same moment leave the state that is true of both', async () => {
  const hub = await startHub()
  await addRepo(hub.database, hub.workspaceId)
  const worker = await hub.worker({ slots: 2 })
  const id = worker.welcome?.workerId ?? ''
  for (const title of ['one', 'two'])
    await hub.call('createTask', { body: { repo: 'demo', title, run: 'true' } })
  const [one, two] = [await worker.assigned(), await worker.assigned()]
  await worker.request({ type: 'accept', taskId: one.taskId, epoch: one.epoch })
  await settle(hub, id)

  const bothChanged = barrier(2)
  const end =
    'update task_queue set worker_id = null, lease_expires_at = null, accepted_at = null where task_id = $1'
  const accept = 'update task_queue set accepted_at = now() where task_id = $1'
  await Promise.all([
    settle(hub, id, (tx) => tx.query(end, [one.taskId]).then(bothChanged)),
    settle(hub, id, (tx) => tx.query(accept, [two.taskId]).then(bothChanged)),
  ])
  expect(await stateOf(hub, id)).toBe('working')
})

/** Goes on when so many have come. */
function barrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  return () => {
    if (--count === 0) resolve()
    return promise
  }
}

test('a worker whose hub was killed is evicted after 60 s, once, by whichever of two hubs; others stay', async () => {
  const hub = await startHub({ loops: false })
  const other = await startHub({ loops: false, database: hub.database })
  const present = await hub.worker()
  const gone: string[] = []
  for (const name of ['gone', 'late']) {
    const worker = await hub.worker({ token: await hub.workerToken(name) })
    gone.push(worker.welcome?.workerId ?? '')
  }
  const [silent = '', late = ''] = gone
  const age = (id: string, seconds: number) =>
    hub.sql(
      `update workers set connected_hub = gen_random_uuid(), last_seen_at = now() - make_interval(secs => $2)
       where id = $1`,
      [id, seconds],
    )
  await age(silent, 61)
  await age(late, 58)
  await Promise.all([hub, other].map(({ hub: each }) => each.agents.evictSilent()))
  const events = (await hub.call('listEvents', { query: { limit: '500' } })).items
  expect(events.filter(({ kind }) => kind === 'worker.evicted').map(({ data }) => data['workerId'])).toEqual([
    silent,
  ])
  const offline = events.filter(
    ({ kind, data }) => kind === 'worker.state_changed' && data['to'] === 'offline',
  )
  expect(offline.map(({ data }) => data['workerId'])).toEqual([silent])
  const rows = await hub.sql<{ id: string; state: string }>(
    'select id, state from workers where state <> $1',
    ['offline'],
  )
  expect(rows.map((row) => row.id).toSorted()).toEqual([late, present.welcome?.workerId ?? ''].toSorted())
})

test('a worker that was evicted although it is connected is made to say hello again', async () => {
  const hub = await startHub({ loops: false })
  const token = await hub.workerToken('w')
  const worker = await hub.worker({ token })
  const staying = await hub.worker()
  // As after a database that was away for more than a minute.
  await hub.sql(`update workers set last_seen_at = now() - interval '61 seconds' where name = 'w'`)
  await hub.hub.agents.evictSilent()
  await hub.hub.agents.refreshPresence()
  expect(await worker.closed).toMatchObject({ code: 1006 })
  const back = await hub.worker({ token })
  expect(await stateOf(hub, back.welcome?.workerId ?? '')).toBe('idle')
  await hub.hub.agents.refreshPresence()
  expect(await back.request({ type: 'renew', leases: [] })).toMatchObject({ ok: true })
  expect(await staying.request({ type: 'renew', leases: [] })).toMatchObject({ ok: true })
})
