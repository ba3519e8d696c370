import { randomInt } from 'node:crypto'
import { renameSync } from 'node:fs'
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { serverProcessesOf } from '@muster/postgres/process-identity'
import { eventually } from '@muster/testkit/eventually'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { processesOf } from './processes-of.ts'
import { expectNothingOf, startStack, type Stack } from './stack.ts'
import { add, addRepo, getTask, runsOf, untilState } from './tasks-of.ts'

let stack: Stack
let repo: GitRepo
/** A token that this hub has never seen used. */
let unknown: string
beforeAll(async () => {
  stack = await startStack()
  repo = await gitRepo({ 'a.txt': 'A\n' })
  await addRepo(stack, 'demo', repo.path)
  const made = await stack.api('/tokens', { method: 'POST', body: { name: 'other', kind: 'person' } })
  unknown = (made.body as { secret: string }).secret
})
afterAll(async () => {
  await stack.stop()
  await repo.remove()
})
/** Undoes what a test did to processes, also when it fails. */
let undo: (() => void)[] = []
afterEach(() => {
  for (const each of undo.splice(0)) each()
})

/** Seconds that nobody else sleeps: found again among the arguments of any process, in a wall or not. */
async function startTwo() {
  const marker = `1000.${randomInt(1_000_000_000, 9_999_999_999)}`
  const tasks = []
  for (const title of ['Sleep long', 'Sleep beside it']) {
    tasks.push(await add(stack, 'demo', title, '--run', `sleep ${marker}`))
  }
  for (const { id } of tasks) await untilState(stack, id, (found) => found.phase === 'running')
  const sleeping = () => processesOf(`sleep ${marker}`)
  await eventually(async () => (await sleeping()).length >= 2, { timeoutMs: 30_000 })
  return { ids: tasks.map(({ id }) => id), marker, sleeping }
}

function signal(pids: number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Nothing of the database runs a step until the answered function is called. */
async function freezeDatabase(): Promise<void> {
  const pids = await serverProcessesOf(join(stack.data, 'database/data'))
  signal(pids, 'SIGSTOP')
  undo.push(() => signal(pids, 'SIGCONT'))
}

/** Killed, and unable to start again until it is undone; `up` keeps trying. */
async function killDatabase(): Promise<void> {
  const needed = join(stack.data, 'database/data/global/pg_control')
  await rename(needed, `${needed}.away`)
  undo.push(() => renameSync(`${needed}.away`, needed))
  signal(await serverProcessesOf(join(stack.data, 'database/data')), 'SIGKILL')
}

async function untilBack(): Promise<void> {
  for (const each of undo.splice(0)) each()
  await eventually(async () => (await stack.api('/queue')).status === 200, { timeoutMs: 60_000 })
}

/** Why the worker stopped the runs of these tasks, by its own log. */
async function causesOf(ids: string[]): Promise<string[]> {
  const lines = (await readFile(join(stack.data, 'logs/worker.log'), 'utf8')).split('\n')
  const stops = lines.flatMap((line) => (line.includes('a run is stopped') ? [JSON.parse(line)] : []))
  return ids.map((id) => String(stops.findLast(({ task }) => task === id)?.cause))
}

/** Asks for it, and waits until nothing of the runs is left; the answer may come later. */
async function stopWithin5s(path: string, marker: string): Promise<ReturnType<Stack['api']>> {
  const began = performance.now()
  const asked = stack.api(path, { method: 'POST', body: {} })
  await expectNothingOf(`sleep ${marker}`)
  expect(performance.now() - began).toBeLessThan(5_000)
  return asked
}

/** What was stopped is not lost: it runs again, and is brought to its end by hand. */
async function expectAllThere(ids: string[]): Promise<void> {
  for (const id of ids) {
    await untilState(stack, id, (found) => found.state === 'queued' || found.phase === 'running', 90_000)
    const { code, stderr } = await stack.muster('task', 'cancel', id)
    expect(code, stderr).toBe(0)
    expect(await getTask(stack, id)).toMatchObject({ state: 'cancelled' })
    // By whom or what it was stopped costs no try, and none of its runs is still open.
    expect((await runsOf(stack, id)).filter((run) => run.ending === null)).toEqual([])
  }
}

describe('everything is stopped within 5 s', () => {
  it('with the database: it is recorded, and the command says so', async () => {
    const { ids, marker } = await startTwo()
    expect(await stopWithin5s('/queue/stop', marker)).toMatchObject({
      status: 200,
      body: { requeued: 2, told: 1 },
    })
    expect(await getTask(stack, ids[0] ?? '')).toMatchObject({ state: 'queued' })
    expect((await stack.muster('queue', 'resume')).code).toBe(0)
    await expectAllThere(ids)
  })

  it('with the database killed: who was known stops it and hears that it is not recorded, a stranger does not', async () => {
    const { ids, marker, sleeping } = await startTwo()
    await killDatabase()
    const stranger = await stack.api('/queue/stop', { method: 'POST', body: {}, token: unknown })
    expect(stranger).toMatchObject({ status: 503, body: { code: 'database_unavailable' } })
    expect((await sleeping()).length).toBeGreaterThanOrEqual(2)

    expect(await stopWithin5s('/queue/stop', marker)).toMatchObject({
      status: 503,
      body: { code: 'stopped_unrecorded' },
    })
    expect(await causesOf(ids)).toEqual(['cancelled', 'cancelled'])
    const { code, stderr } = await stack.muster('queue', 'stop')
    expect([code, stderr]).toEqual([75, expect.stringContaining('1 worker was told to stop')])
    expect(stderr).toContain('Repeat it once the database answers')

    await untilBack()
    expect((await stack.api('/queue')).body).toMatchObject({ paused: false })
    await expectAllThere(ids)
  })

  it('with the database silent: one worker is stopped by its name', async () => {
    const { ids, marker } = await startTwo()
    await freezeDatabase()
    expect(await stopWithin5s('/workers/local/stop', marker)).toMatchObject({
      status: 503,
      body: { code: 'stopped_unrecorded' },
    })
    expect(await causesOf(ids)).toEqual(['cancelled', 'cancelled'])

    await untilBack()
    // What hung may have been written after all.
    expect((await stack.muster('worker', 'uncordon', 'local')).code).toBe(0)
    await expectAllThere(ids)
  })
})

it('with hub and database gone runs end when their leases do, by the clock of their worker', async () => {
  const { ids, marker, sleeping } = await startTwo()
  const { hub } = await stack.pids()
  await killDatabase()
  signal([hub], 'SIGKILL')
  expect((await sleeping()).length).toBeGreaterThanOrEqual(2)
  // The lease is 10 s, and a run is ended within 5 s of its end.
  await expectNothingOf(`sleep ${marker}`, 15_000)
  await untilBack()
  expect(await causesOf(ids)).toEqual(['lease_lost', 'lease_lost'])
  await expectAllThere(ids)
})
