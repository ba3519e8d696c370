import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Event } from '@muster/contract/events'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { environment, main, runMuster } from './run-muster.ts'
import { emptyQueue, sampleTask, sampleWorker, startStubHub, type StubHub } from './stub-hub.ts'

const data = mkdtempSync(join(tmpdir(), 'muster-cli-queue-'))
let hub: StubHub
beforeAll(async () => {
  hub = await startStubHub()
})
beforeEach(() => {
  hub.asked.length = 0
  Object.assign(hub, { tasks: [], workers: [], history: [], bulk: [], queue: emptyQueue })
})
afterAll(async () => {
  await hub.close()
  rmSync(data, { recursive: true })
})

const muster = (...words: string[]) =>
  runMuster(words, environment({ data, hub: hub.url, path: process.env['PATH'] }))
const asked = () => hub.asked.map(({ method, path }) => `${method} ${path.replace('/api/v1', '')}`)

describe('the queue', () => {
  test('is shown with what runs, what is queued by lane and what is dead, and how to go on', async () => {
    const byLane = [
      { lane: 'urgent' as const, waiting: 1 },
      { lane: 'normal' as const, waiting: 2 },
      { lane: 'low' as const, waiting: 0 },
    ]
    hub.queue = { ...emptyQueue, paused: true, running: 3, waiting: 3, byLane, oldestWaitMs: 61_000, dead: 4 }
    const { code, out } = await muster('queue', 'show')
    expect(code).toBe(0)
    expect(out.split('\n')).toEqual([
      'queue    paused: nothing is assigned. Go on: npx muster queue resume',
      'running  3 of at most 20',
      'queued   3 (1 urgent, 2 normal; the oldest for 1m 1s)',
      'dead     4 (npx muster task dead list)',
      '',
    ])
    expect(JSON.parse((await muster('queue', 'show', '--json')).out)).toEqual(hub.queue)
  })

  test.each([
    ['pause', 'paused: nothing is assigned', true],
    ['resume', 'open', false],
  ])('%s tells what became of it', async (verb, said, paused) => {
    hub.queue = { ...emptyQueue, paused: !paused }
    const { code, out } = await muster('queue', verb)
    expect([code, hub.queue.paused]).toEqual([0, paused])
    expect(out).toContain(said)
    expect(JSON.parse((await muster('queue', verb, '--json')).out)).toMatchObject({ paused })
  })

  test('stop says how much it stopped, that nothing is lost and how to go on', async () => {
    hub.queue = { ...emptyQueue, running: 2 }
    const { code, out, err } = await muster('queue', 'stop')
    expect({ code, out }).toEqual({ code: 0, out: 'Stopped 2 runs; 1 worker heard it at once.\n' })
    expect(err).toMatch(/queued again.*npx muster queue resume/)
    expect(JSON.parse((await muster('queue', 'stop', '--json')).out)).toEqual({ requeued: 2, told: 1 })
    hub.queue = emptyQueue
    expect((await muster('queue', 'stop')).out).toBe('Nothing ran.\n')
  })

  test('that is paused is seen where a person looks first', async () => {
    hub.queue = { ...emptyQueue, paused: true, dead: 2 }
    const { out } = await muster('status')
    expect(out).toContain('queue    paused')
    expect(out).toContain('dead     2')
  })
})

describe('a worker that must rest', () => {
  test.each([
    [['cordon', 'box', '--reason', 'new disk'], 'POST /workers/box/cordon', { reason: 'new disk' }],
    [['cordon', 'box'], 'POST /workers/box/cordon', {}],
    [['uncordon', 'box'], 'POST /workers/box/uncordon', {}],
    [['stop', 'box', '--reason', 'odd'], 'POST /workers/box/stop', { reason: 'odd' }],
  ])('%j is one request', async (words, request, body) => {
    expect((await muster('worker', ...words)).code).toBe(0)
    expect(asked()).toEqual([request])
    expect(hub.asked[0]?.body).toEqual(body)
    expect(JSON.parse((await muster('worker', ...words, '--json')).out)).toBeTypeOf('object')
  })

  test('cordon says what goes on there and how to undo it', async () => {
    hub.workers = [sampleWorker({ busy: 1 })]
    const { err, out } = await muster('worker', 'cordon', 'box')
    expect(out).toBe('')
    expect(err).toBe(
      'box gets no new task. What it runs goes on: 1 task. Undo: npx muster worker uncordon box\n',
    )
  })

  test('is marked in the list and shown with the reason', async () => {
    hub.workers = [sampleWorker({ cordoned: 'new disk', flaggedAt: '2026-01-02T03:04:05.000Z' })]
    expect((await muster('worker', 'list')).out).toContain('idle (cordoned, flagged)')
    expect((await muster('worker', 'show', 'box')).out).toMatch(/^cordoned +new disk$/m)
  })

  test('is drained when it runs nothing any more, and not before', async () => {
    hub.workers = [sampleWorker({ busy: 2 })]
    const { code, err } = await muster('worker', 'drain', 'box')
    expect(code).toBe(0)
    expect(asked()).toEqual(['POST /workers/box/cordon', 'GET /workers/box', 'GET /workers/box'])
    expect(err).toContain('Waiting for the end of 2 tasks.')
    expect(err).toContain('box runs nothing and gets no new task.')
  })

  test('and is not drained in time is exit code 75, and stays cordoned', async () => {
    hub.workers = [sampleWorker({ busy: 1_000 })]
    const { code, err } = await muster('worker', 'drain', 'box', '--timeout', '600ms')
    expect(code).toBe(75)
    expect(err).toMatch(/still runs 99\d tasks and stays cordoned/)
    const json = await muster('worker', 'drain', 'box', '--timeout', '1ms', '--json')
    expect([json.code, JSON.parse(json.out).busy > 900]).toEqual([75, true])
  })

  test('Ctrl-C ends only the waiting', async () => {
    hub.workers = [sampleWorker({ busy: 1_000 })]
    const env = environment({ data, hub: hub.url, path: process.env['PATH'] })
    const child = spawn(process.execPath, [main, 'worker', 'drain', 'box'], { env })
    await expect.poll(() => asked().length, { timeout: 9_000 }).toBeGreaterThan(1)
    child.kill('SIGINT')
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(130)
    expect(hub.workers[0]?.cordoned).not.toBeNull()
  })
})

describe('a task in the hands of a person', () => {
  test('push names the worker, and what was refused is refused', async () => {
    hub.tasks = [sampleTask({})]
    const short = hub.tasks[0]?.short ?? ''
    const { code, err } = await muster('task', 'push', short, '--worker', 'box')
    expect(code).toBe(0)
    expect(err).toContain(`npx muster task watch ${short}`)
    expect(hub.asked[0]?.body).toEqual({ worker: 'box' })
    hub.refuse('worker_not_able')
    expect((await muster('task', 'push', short, '--worker', 'box')).code).toBe(5)
  })

  test('history is what happened in its order, each with how long after the first and why', async () => {
    const event = (kind: Event['kind'], second: number, more: Record<string, unknown>): Event => ({
      cursor: String(second),
      kind,
      taskId: null,
      runId: null,
      actor: 'owner',
      data: more,
      at: new Date(1_800_000_000_000 + second * 1_000).toISOString(),
    })
    hub.history = [
      event('task.created', 0, { state: 'queued' }),
      event('task.assigned', 1, { reason: 'Given to box: the task names it.', worker: 'box' }),
      event('task.lane_raised', 2, { from: 'low', to: 'normal', why: 'It has waited.' }),
      event('task.retrying', 3, { reason: 'It exited\u001b[2J with 3.', delayMs: 2_000 }),
    ]
    const { out } = await muster('task', 'history', '7f3a9c21')
    expect(out.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, '|'))).toEqual([
      'AFTER|WHAT|WHO|MORE',
      '0.0s|task.created|owner|queued',
      '1.0s|task.assigned|owner|Given to box: the task names it.',
      '2.0s|task.lane_raised|owner|It has waited. · normal',
      '3.0s|task.retrying|owner|It exited with 3. · next try in 2.0s',
      '',
    ])
    expect(JSON.parse((await muster('task', 'history', '7f3a9c21', '--json')).out).items).toEqual(hub.history)
  })

  test('delete says what is gone', async () => {
    const { code, err } = await muster('task', 'delete', '7f3a9c21')
    expect(code).toBe(0)
    expect(err).toContain('Task 7f3a9c21 is gone')
    expect(asked()).toEqual(['DELETE /tasks/7f3a9c21'])
  })

  test('a failed try that is tried again is told once, with how long it waits', async () => {
    const notBefore = new Date(Date.now() + 5_000).toISOString()
    const reason = `Try 1 of 2 ended as execution_failed: The command exited with 3; next try not before ${notBefore}.`
    hub.tasks = [sampleTask({ attempt: 1, failures: 1, notBefore, reason })]
    const watching = muster('task', 'watch', hub.tasks[0]?.short ?? '')
    await expect.poll(() => hub.asked.length, { timeout: 9_000 }).toBeGreaterThan(2)
    hub.tasks = [{ ...(hub.tasks[0] as never as object), state: 'dead' } as never]
    const { code, err } = await watching
    expect(code).toBe(1)
    expect(err).toMatch(/queued: Try 1 of 2 ended as execution_failed: .* 3; next try in \d\.\ds\.\n/)
    expect(err.split('next try').length).toBe(2)
  }, 20_000)
})

describe('tasks that are dead', () => {
  const ids = ['0198c5d2-7b1e-7c3a-9f00-1f2e3d4c5b6a', '0198c5d2-7b1e-7c3a-9f00-1f2e3d4c5b6b']
  const refused = { id: ids[1] ?? '', code: 'task_state_refuses' as const, message: 'It is queued.' }

  test('are listed with their ending, all or those that fit', async () => {
    hub.tasks = [
      sampleTask({ state: 'dead', ending: 'lost', title: 'Lost one', attempt: 3 }),
      sampleTask({ state: 'dead', ending: 'timed_out', title: 'Late one' }),
    ]
    expect((await muster('task', 'dead', 'list')).out).toMatch(/lost +3 +shop +Lost one\n.*Late one/)
    const { out } = await muster('task', 'dead', 'list', '--ending', 'lost')
    expect(out).not.toContain('Late one')
    const json = await muster('task', 'dead', 'list', '--ending', 'lost', '--json')
    expect(JSON.parse(json.out).items).toMatchObject([{ title: 'Lost one', ending: 'lost' }])
    const nothing = await muster('task', 'dead', 'list', '--ending', 'refused')
    expect(nothing).toMatchObject({ code: 0, out: '', err: 'No dead task fits.\n' })
  })

  test('are queued again round after round until none fits any more', async () => {
    hub.bulk = [
      { changed: [ids[0] ?? ''], refused: [], more: true },
      { changed: [ids[1] ?? ''], refused: [], more: false },
    ]
    const { code, out } = await muster('task', 'dead', 'retry', '--ending', 'lost', '--repo', 'shop')
    expect({ code, out }).toEqual({ code: 0, out: '2 queued again\n' })
    expect(hub.asked.map(({ body }) => body)).toEqual(
      Array.from({ length: 2 }, () => ({ ending: 'lost', repo: 'shop' })),
    )
  })

  test('a refused one is named, is exit code 5 and does not stop the others', async () => {
    hub.bulk = [{ changed: [ids[0] ?? ''], refused: [refused], more: false }]
    const { code, out, err } = await muster('task', 'dead', 'retry')
    expect({ code, out }).toEqual({ code: 5, out: '1 queued again\n' })
    expect(err).toContain('3d4c5b6b was refused: It is queued.')
    hub.bulk = [{ changed: [], refused: [refused], more: true }]
    const json = await muster('task', 'dead', 'retry', '--json')
    expect([json.code, JSON.parse(json.out)]).toEqual([5, { changed: [], refused: [refused] }])
  })

  test('are deleted only by words that are meant', async () => {
    hub.bulk = [{ changed: ids, refused: [], more: false }]
    const bare = await muster('task', 'dead', 'delete', '--repo', 'shop')
    expect(bare).toMatchObject({ code: 2, out: '' })
    expect(bare.err).toContain('--yes')
    expect(hub.asked).toEqual([])
    expect(await muster('task', 'dead', 'delete', '--repo', 'shop', '--yes')).toMatchObject({
      code: 0,
      out: '2 deleted\n',
    })
  })
})

test.each([
  [['queue', 'pauze'], 'Did you mean pause?'],
  [['queue', 'pause', 'now'], 'Too many arguments'],
  [['queue', 'stop', '--force'], '--force'],
  [['worker', 'cordon'], "argument 'name'"],
  [['worker', 'drain', 'box', '--timeout', '5'], '10m'],
  [['task', 'push', '7f3a9c21'], '--worker'],
  [['task', 'dead', 'list', '--ending', 'wrong'], 'execution_failed'],
  [['task', 'dead', 'retry', '--ending', 'verified'], 'execution_failed'],
  [['task', 'dead', 'delete', '--ending', 'wrong', '--yes'], 'execution_failed'],
  [['repo', 'deactivate'], "argument 'name'"],
])('%j is refused with exit code 2, and nothing is sent', async (words, said) => {
  const { code, out, err } = await muster(...words)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain(said)
  expect(hub.asked).toEqual([])
})

test('a repository is taken out of the queue and back, and each says what follows', async () => {
  const off = await muster('repo', 'deactivate', 'shop')
  expect([off.code, off.err]).toEqual([
    0,
    'Tasks of shop wait; what runs goes on. Undo: npx muster repo activate shop\n',
  ])
  expect((await muster('repo', 'activate', 'shop')).err).toBe('Tasks of shop are assigned again.\n')
  expect(JSON.parse((await muster('repo', 'deactivate', 'shop', '--json')).out)).toMatchObject({
    name: 'shop',
    active: false,
  })
  expect(asked().slice(0, 2)).toEqual(['POST /repos/shop/deactivate', 'POST /repos/shop/activate'])
})

test.each([
  [['queue', 'pause'], 'forbidden', 4],
  [['worker', 'cordon', 'nobody'], 'not_found', 3],
  [['worker', 'stop', 'nobody'], 'not_found', 3],
  [['worker', 'drain', 'nobody'], 'not_found', 3],
  [['task', 'history', 'aaaaaaaa'], 'not_found', 3],
  [['task', 'delete', 'aaaaaaaa'], 'task_state_refuses', 5],
  [['task', 'dead', 'retry'], 'forbidden', 4],
  [['repo', 'deactivate', 'nothing'], 'repo_not_found', 3],
] as const)('%j that the hub refuses as %s is exit code %i with its words', async (words, refusal, exit) => {
  hub.refuse(refusal)
  const { code, out, err } = await muster(...words, '--json')
  expect({ code, out }).toEqual({ code: exit, out: '' })
  expect(JSON.parse(err)).toMatchObject({ code: refusal })
})
