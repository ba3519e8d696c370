import type { Assignment } from '@muster/contract/wire'
import { expect, test } from 'vitest'
import { issueLocalToken } from '../identity/first-start.ts'
import type { HubDatabase } from '../../test-support/database.ts'
import { addRepo, addWorkspace, startHub, type TestHub } from '../../test-support/hub.ts'
import { failed, openRooms, type Rooms, type TestWorker } from '../../test-support/rooms.ts'
import { connectWorker } from '../../test-support/worker-client.ts'

/** Ends, in this order, everything that these workers were given and have not ended. Answers the titles. */
async function endAll(rooms: Rooms, workers: TestWorker[]): Promise<string[]> {
  const ended: string[] = []
  for (const worker of workers) {
    for (const { assignment } of worker.sent.splice(0) as { assignment: Assignment }[]) {
      const { taskId, epoch, runId, title } = assignment
      await rooms.say(worker, { type: 'finish', id: 1, taskId, epoch, runId, result: failed() })
      ended.push(title)
    }
  }
  return ended
}

test('eighty tasks are spread over four workers, twenty each give or take two', async () => {
  const rooms = await openRooms({ limits: { maxRunning: 100 } })
  const workers: TestWorker[] = []
  for (const name of ['a', 'b', 'c', 'd']) workers.push(await rooms.worker(name, 3))
  for (const { connection } of workers) rooms.agents.connections.add(connection)
  for (let at = 0; at < 80; at += 1) await rooms.submit({ title: `task ${at}` })
  const given = workers.map(() => 0)
  for (let round = 0; given.reduce((sum, count) => sum + count, 0) < 80; round += 1) {
    await rooms.assign()
    // A different one is quicker each time, so that slots come free unevenly.
    for (const [at, worker] of workers.entries()) {
      if ((round + at) % 3 !== 0) given[at] = (given[at] ?? 0) + (await endAll(rooms, [worker])).length
    }
    expect(round).toBeLessThan(40)
  }
  for (const count of given) expect(Math.abs(count - 20), given.join(' ')).toBeLessThanOrEqual(2)
})

test('under load every lane waits for the ones above it, and an urgent task is the next one given', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w', 2)
  rooms.agents.connections.add(worker.connection)
  const lanes = ['low', 'normal', 'high', 'urgent'] as const
  for (let at = 0; at < 40; at += 1) {
    const lane = lanes[(at * 7) % 4] ?? 'low'
    await rooms.submit({ title: `${lane} ${String(at).padStart(2, '0')}`, lane })
  }
  const rank = (title: string) => lanes.toReversed().findIndex((lane) => title.startsWith(lane))
  const inOrder = (titles: string[]) => titles.toSorted((x, y) => rank(x) - rank(y) || (x < y ? -1 : 1))
  const order: string[] = []
  for (let round = 0; order.length < 41; round += 1) {
    await rooms.assign()
    if (round === 12) await rooms.submit({ title: 'urgent late', lane: 'urgent' })
    // What one round gives out is given at once and has no order in itself.
    order.push(...inOrder(await endAll(rooms, [worker])))
    expect(round).toBeLessThan(30)
  }
  // Handed in while the thirteenth round ran: first in the fourteenth.
  expect(order[26]).toBe('urgent late')
  const others = order.filter((title) => title !== 'urgent late')
  expect(others).toEqual(inOrder(others))
})

/** A worker of any workspace that ends what it is given at once, as a flood keeps one busy. */
async function busyWorker(hub: TestHub, workspaceId: string, slots: number) {
  const workerId = await hub.hub.agents.ensureWorker(workspaceId, 'w')
  const token = await issueLocalToken(hub.hub.db, { workspaceId, name: 'w', personId: null, workerId })
  const worker = await connectWorker(hub.url, { token, slots })
  const givenAt = new Map<string, number>()
  worker.socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as { type: string; assignment: Assignment }
    if (message.type !== 'assign') return
    const { taskId, epoch, runId, title } = message.assignment
    givenAt.set(title, performance.now())
    worker.post({ type: 'finish', taskId, epoch, runId, result: failed() })
  })
  return givenAt
}

/** Queued tasks beyond what a test could hand in. */
function flood(database: HubDatabase, workspaceId: string, repoId: string, count: number) {
  return database.sql(
    `with t as (
       insert into tasks (workspace_id, id, repo_id, repo, title, spec, lane, tier, guessed_tier, retries, state, created_by)
       select $1, gen_random_uuid(), $2, 'demo', 'flood ' || n, $4, 2, 'standard', 'standard', 0, 'queued', 'owner'
       from generate_series(1, $3::int) as n returning id
     )
     insert into task_queue (workspace_id, task_id, repo_id, lane, wall, timeout_ms, epoch)
     select $1, id, $2, 2, 'namespace', 600000, 0 from t`,
    [workspaceId, repoId, count, JSON.stringify(spec)],
  )
}

const spec = {
  ...{ run: 'true', prompt: null, checks: [], needs: [], fileHints: [], criteria: [], metadata: {} },
  ...{ onlyWorkerId: null, delayMs: 0, ttlMs: null, mayChange: [], allowEmpty: false },
  ...{ wall: 'namespace', network: 'none', timeoutMs: 600_000 },
}

test('while one workspace has 10,000 tasks waiting, those of three others are assigned within five seconds', async () => {
  const hub = await startHub()
  const repoId = await addRepo(hub.database, hub.workspaceId)
  await flood(hub.database, hub.workspaceId, repoId, 10_000)
  const flooded = await busyWorker(hub, hub.workspaceId, 10)
  const others = []
  for (const name of ['b', 'c', 'd']) {
    const workspace = await addWorkspace(hub.database, name)
    await addRepo(hub.database, workspace.workspaceId)
    others.push({ ...workspace, givenAt: await busyWorker(hub, workspace.workspaceId, 1) })
  }
  const waits: number[] = []
  for (let round = 0; round < 8; round += 1) {
    for (const { token, givenAt } of others) {
      const title = `small ${round}`
      const began = performance.now()
      await hub.call('createTask', { token, body: { repo: 'demo', title, run: 'true', retries: 0 } })
      await expect.poll(() => givenAt.has(title), { timeout: 10_000, interval: 5 }).toBe(true)
      waits.push((givenAt.get(title) ?? 0) - began)
    }
  }
  const left = await hub.sql<{ n: number }>(
    'select count(*)::int as n from task_queue where workspace_id = $1',
    [hub.workspaceId],
  )
  // The flood was on all the time, and was served all the time.
  expect(left[0]?.n).toBeGreaterThan(100)
  expect(flooded.size).toBeGreaterThan(waits.length)
  expect(Math.max(...waits)).toBeLessThan(5_000)
  // One round of the flooded workspace is at most what others wait for; a machine that is busy makes it slower.
  expect(waits.toSorted((a, b) => a - b)[waits.length >> 1]).toBeLessThan(1_500)
})
