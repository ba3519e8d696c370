import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { worker, type Worker } from '@muster/contract/workers'
import { page } from '@muster/contract/tasks'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import type { RunningProcess } from '@muster/testkit/processes'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { killForGood, processesOf } from './processes-of.ts'
import { environment, expectNothingOf, newDirectory, startMuster, startStack, type Stack } from './stack.ts'
import { add, addRepo, eventsOf, runsOf, untilEnded, untilState } from './tasks-of.ts'

let stack: Stack
let repo: GitRepo
let place: string
let token: string
beforeAll(async () => {
  // One slot each, so that two tasks at once need two workers.
  stack = await startStack({ env: { MUSTER_SLOTS: '1' } })
  repo = await gitRepo({ 'a.txt': 'A\n' })
  await addRepo(stack, 'demo', repo.path)
  place = await newDirectory('muster-scenario-worker-')
  const made = await stack.muster('token', 'create', 'second', '--worker', '--json')
  token = (made.json() as { secret: string }).secret
})
afterAll(async () => {
  await stack.stop()
  await expectNothingOf(place)
  await rm(place, { recursive: true, force: true })
  await repo.remove()
})

/** `muster worker join` on another data directory, as on another machine. */
async function joinAs(name: string, secret: string): Promise<RunningProcess> {
  const data = join(place, name)
  await mkdir(data, { recursive: true, mode: 0o711 })
  const env = environment(data, { MUSTER_TOKEN: secret, MUSTER_SLOTS: '1' })
  const joined = startMuster(['worker', 'join', stack.url], env)
  onTestFinished(() => joined.kill('SIGTERM'))
  return joined
}

async function workers(): Promise<Record<string, Worker>> {
  const found = page(worker).parse((await stack.api('/workers')).body).items
  return Object.fromEntries(found.map((each) => [each.name, each]))
}

const sleeping = (marker: string) =>
  add(
    stack,
    'demo',
    'Two at once',
    '--run',
    `echo ${marker} > mark; sleep 2 # ${marker}`,
    '--check',
    'file_exists:mark',
  )

describe('a second worker from another directory', () => {
  it('takes the second of two tasks while the first runs, as another user of the machine', async () => {
    const second = await joinAs('one', token)
    await second.line(/connected to the hub/)
    expect((await workers())['second']).toMatchObject({ connected: true, slots: 1 })

    const markers = ['apart-one', 'apart-two'].map((name) => `${name}-${Date.now()}`)
    const tasks = await Promise.all(markers.map(sleeping))
    await Promise.all(tasks.map(({ id }) => untilState(stack, id, (found) => found.phase === 'running')))
    const uids = await Promise.all(
      markers.map(async (marker) => (await processesOf(`sleep 2 # ${marker}`)).map((found) => found.uid)),
    )
    const ended = await Promise.all(tasks.map(({ id }) => untilEnded(stack, id)))

    expect(ended.map((task) => task.state)).toEqual(['done', 'done'])
    expect(ended.map((task) => task.worker).toSorted()).toEqual(['local', 'second'])
    const [one, two] = await Promise.all(tasks.map(async ({ id }) => (await runsOf(stack, id))[0]))
    // Each began before the other ended.
    expect(Date.parse(String(one?.startedAt))).toBeLessThan(Date.parse(String(two?.endedAt)))
    expect(Date.parse(String(two?.startedAt))).toBeLessThan(Date.parse(String(one?.endedAt)))
    if (process.getuid?.() === 0) {
      const [first, other] = uids.map((found) => new Set(found.filter((uid) => uid !== 0)))
      expect(first?.size).toBe(1)
      expect(other?.size).toBe(1)
      expect([...(first ?? [])], 'two walls of one machine share a user').not.toEqual([...(other ?? [])])
    }
    await second.kill('SIGTERM')
    await expect.poll(async () => (await workers())['second']?.connected, { timeout: 20_000 }).toBe(false)
  })

  it('gives its task back when it is killed, and another worker does it', async () => {
    const second = await joinAs('one', token)
    await second.line(/connected to the hub/)
    const tasks = await Promise.all([1, 2].map((at) => sleeping(`killed-${at}-${Date.now()}`)))
    const own = await Promise.race(
      tasks.map(({ id }) =>
        untilState(stack, id, (found) => found.worker === 'second' && found.phase === 'running'),
      ),
    )
    await killForGood(join(place, 'one'))
    await second.exited
    const ended = await Promise.all(tasks.map(({ id }) => untilEnded(stack, id, 40_000)))
    expect(ended.map((task) => task.state)).toEqual(['done', 'done'])
    const kinds = (await eventsOf(stack, own.id)).map((event) => event.kind)
    expect(kinds.filter((kind) => kind === 'task.requeued')).toHaveLength(1)
    expect(kinds.filter((kind) => kind === 'task.done')).toHaveLength(1)
    expect((await runsOf(stack, own.id)).map((run) => [run.worker, run.ending])).toEqual([
      ['local', 'verified'],
      ['second', 'lost'],
    ])
  })
})

describe('the token of a worker', () => {
  it('cannot be used from another directory while the first lives, and the first goes on', async () => {
    const first = await joinAs('one', token)
    await first.line(/connected to the hub/)
    const host = (
      await stack.sql<{ instance: string }>(`select instance from muster.workers where name = 'second'`)
    )[0]

    const copy = await joinAs('copy', token)
    await copy.line(/worker_already_connected/)
    expect(copy.output()).not.toContain('connected to the hub')
    const now = await stack.sql<{ instance: string }>(
      `select instance from muster.workers where name = 'second'`,
    )
    expect(now).toEqual([host])

    const tasks = await Promise.all([1, 2].map((at) => sleeping(`copied-${at}-${Date.now()}`)))
    const ended = await Promise.all(tasks.map(({ id }) => untilEnded(stack, id)))
    expect(ended.map((task) => task.worker).toSorted()).toEqual(['local', 'second'])
    const copied = await readdir(join(place, 'copy')).catch(() => [])
    for (const name of copied.filter((entry) => /^worker-[0-9a-f]+$/.test(entry))) {
      expect(await readdir(join(place, 'copy', name, 'journal'))).toEqual([])
    }
    expect(first.output()).not.toContain('the hub is away')
  })

  it('opens nothing for people: not the list of tasks, not a new task', async () => {
    const asWorker = { MUSTER_TOKEN: token, MUSTER_HUB: stack.url }
    expect((await stack.musterWith(asWorker, 'task', 'list')).code).toBe(4)
    const added = await stack.musterWith(
      asWorker,
      'task',
      'add',
      '--repo',
      'demo',
      '--title',
      'No',
      '--run',
      'true',
    )
    expect(added.code).toBe(4)
  })

  it('is needed by a worker: a person’s token and a wrong one are refused and the command ends', async () => {
    const person = await stack.muster('token', 'create', 'mine', '--json')
    for (const secret of [
      (person.json() as { secret: string }).secret,
      'muster_worker_nobody-has-this-one-at-all',
    ]) {
      const refused = await joinAs('refused', secret)
      expect((await refused.exited).code).toBe(4)
    }
  })

  it('ends with its revocation: the worker leaves and does not come back', async () => {
    const made = await stack.muster('token', 'create', 'short-lived', '--worker', '--json')
    const { id, secret } = made.json() as { id: string; secret: string }
    const joined = await joinAs('short', secret)
    await joined.line(/connected to the hub/)
    expect((await stack.muster('token', 'revoke', id)).code).toBe(0)
    expect((await joined.exited).code).toBe(4)
  })
})
