import { randomInt } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { memoryOf, processesOf } from './processes-of.ts'
import { expectNothingOf, startStack, type Stack } from './stack.ts'
import { add, addAndWait, addRepo, eventsOf, logOf, runsOf, untilEnded, untilState } from './tasks-of.ts'

let stack: Stack
let repo: GitRepo
beforeAll(async () => {
  stack = await startStack()
  repo = await gitRepo({ 'a.txt': 'A\n' })
  await addRepo(stack, 'demo', repo.path)
})
afterAll(async () => {
  await stack.stop()
  await repo.remove()
})

/** Seconds that nobody else sleeps: found again among the arguments of any process, in a wall or not. */
const newMarker = () => `1000.${randomInt(1_000_000_000, 9_999_999_999)}`

afterEach(async () => {
  expect(await readdir(join(stack.data, 'worker/runs'))).toEqual([])
  expect(await readdir(join(stack.data, 'worker/journal'))).toEqual([])
  expect(await stack.sql('select 1 from muster.task_queue')).toEqual([])
})

async function startSleeping(command: (marker: string) => string) {
  const marker = newMarker()
  const task = await add(stack, 'demo', 'Sleep long', '--run', command(marker))
  await untilState(stack, task.id, (found) => found.phase === 'running')
  await expect.poll(async () => (await processesOf(`sleep ${marker}`)).length).toBeGreaterThan(0)
  return { id: task.id, marker }
}

describe('a task that is cancelled', () => {
  it.each([
    ['sleeps', (marker: string) => `sleep ${marker}`],
    [
      'ignores every signal it can',
      (marker: string) => `trap '' TERM INT HUP QUIT; sleep ${marker}; sleep ${marker}`,
    ],
    [
      'left daemons in sessions of their own',
      (marker: string) =>
        `for i in 1 2 3; do setsid nohup sleep ${marker} >/dev/null 2>&1 & done; sleep ${marker}`,
    ],
  ])('while it %s is gone within 10 s with every process it started', async (_, command) => {
    const { id, marker } = await startSleeping(command)
    const asked = performance.now()
    const cancelled = await stack.muster('task', 'cancel', id, '--json')
    expect(cancelled.code, cancelled.stderr).toBe(0)
    expect(cancelled.json()).toMatchObject({ state: 'cancelled', ending: 'cancelled' })
    await expectNothingOf(`sleep ${marker}`, 10_000)
    expect(performance.now() - asked).toBeLessThan(10_000)
    await expect.poll(() => readdir(join(stack.data, 'worker/runs')), { timeout: 5_000 }).toEqual([])
    const [run] = await runsOf(stack, id)
    expect(run).toMatchObject({ ending: 'cancelled', branch: null })
    const ends = (await eventsOf(stack, id)).filter((event) => /done|dead|cancelled/.test(event.kind))
    expect(ends.map((event) => event.kind)).toEqual(['task.cancelled'])
    expect(await repo.git('for-each-ref', 'refs/heads/muster*')).toBe('')
  })

  it('before it began never begins, and is refused when it is cancelled once more', async () => {
    const busy = await Promise.all([1, 2].map(() => startSleeping((marker) => `sleep ${marker}`)))
    const waiting = await add(stack, 'demo', 'Wait', '--run', 'echo began > began.txt')
    expect((await stack.muster('task', 'cancel', waiting.id)).code).toBe(0)
    const again = await stack.muster('task', 'cancel', waiting.id, '--json')
    expect(again.code).toBe(5)
    expect(JSON.parse(again.stderr)).toMatchObject({ code: 'task_state_refuses' })
    for (const { id } of busy) await stack.muster('task', 'cancel', id)
    for (const { marker } of busy) await expectNothingOf(`sleep ${marker}`)
    expect(await runsOf(stack, waiting.id)).toEqual([])
    await expect.poll(() => readdir(join(stack.data, 'worker/runs')), { timeout: 5_000 }).toEqual([])
  })
})

describe('a task with a deadline of 2 s', () => {
  it.each([
    ['sleeps', (marker: string) => `sleep ${marker}`, 6_000],
    // SIGTERM is followed by SIGKILL after 5 s.
    ['ignores signals', (marker: string) => `trap '' TERM; sleep ${marker}; sleep ${marker}`, 11_000],
    ['forks without end', () => `while :; do sleep 0.05 & wait; done`, 6_000],
  ])('ends as timed out when it %s', async (_, command, limitMs) => {
    const marker = newMarker()
    const began = performance.now()
    const { code, task } = await addAndWait(
      stack,
      'demo',
      'Too slow',
      ...['--run', `echo half > half.txt; ${command(marker)}`, '--timeout', '2s'],
    )
    expect(performance.now() - began).toBeLessThan(limitMs)
    expect(code).toBe(1)
    expect(task).toMatchObject({ state: 'dead', ending: 'timed_out' })
    expect(task.reason).toContain('2 s')
    await expectNothingOf(`sleep ${marker}`)
    // What it had made by then is kept for a person to look at.
    expect(await repo.git('show', `${task.branch}:half.txt`)).toBe('half')
  })
})

describe('a task that takes more than its share', () => {
  it('and prints 1 GB ends, with a bounded log and a worker below 400 MB', async () => {
    const { code, task } = await addAndWait(
      stack,
      'demo',
      'Print much',
      ...['--run', 'yes "a line that says nothing" | head -c 1000000000; echo the-end; echo x > x.txt'],
      ...['--check', 'file_exists:x.txt', '--timeout', '2m'],
    )
    const { worker, hub } = await stack.pids()
    expect((await memoryOf(worker)).peakMb).toBeLessThan(400)
    expect((await memoryOf(hub)).peakMb).toBeLessThan(400)
    expect([code, task.state]).toEqual([0, 'done'])
    const log = await logOf(stack, task.id)
    expect(log.length).toBeLessThan(2 * 1024 * 1024)
    expect(log).toContain('a line that says nothing')
    expect(log).toMatch(/99\d{7} more bytes of output were left out/)
    const files = await readdir(join(stack.data, 'logs'))
    const sizes = await Promise.all(
      files.map(async (file) => (await readFile(join(stack.data, 'logs', file))).length),
    )
    expect(Math.max(...sizes)).toBeLessThan(2 * 1024 * 1024)
  })

  it.each([
    ['prints 3 MB that are no text', 'for i in 1 2 3; do head -c 1M /dev/zero; done; echo x > x'],
    ['leaves a file of 1 MB of control characters', `head -c 1M /dev/zero | tr '\\0' '\\33' > x`],
  ])('and %s is done at the first attempt, although each byte takes six on the wire', async (_, run) => {
    const { task } = await addAndWait(stack, 'demo', 'No text', '--run', run, '--check', 'file_exists:x')
    expect(task).toMatchObject({ state: 'done', attempt: 1 })
  })

  it.each([
    ['forks like a bomb', 'process_limit', `bash -c 'bomb() { bomb | bomb & }; bomb; sleep 60'`],
    ['fills memory', 'memory_limit', `python3 -c 'x = b"x" * (6 << 30); print(len(x))'`],
    [
      'fills memory in many processes',
      'memory_limit',
      'for i in 1 2 3 4 5 6; do head -c 900M /dev/zero | tail & done; wait; exit 1',
    ],
    [
      'fills the disk',
      'disk_limit',
      'i=0; while :; do i=$((i+1)); head -c 400M /dev/zero > "big$i" || exit 1; done',
    ],
  ])('and %s is stopped, and its reason says %s', async (_, limit, run) => {
    const { code, task } = await addAndWait(stack, 'demo', 'Take all', '--run', run, '--timeout', '60s')
    expect(code).toBe(1)
    expect(task).toMatchObject({ state: 'dead', ending: 'execution_failed' })
    expect(task.reason).toContain(limit)
    // The machine is well: the next task is done as if nothing had been.
    const next = await addAndWait(
      stack,
      'demo',
      'After it',
      '--run',
      'echo y > y',
      '--check',
      'file_exists:y',
    )
    expect(next.code, next.task.reason ?? '').toBe(0)
  })

  it('is told apart from its neighbour, which is not harmed', async () => {
    const neighbour = await add(
      stack,
      'demo',
      'Neighbour',
      '--run',
      'sleep 3; echo y > y',
      '--check',
      'file_exists:y',
    )
    const hog = await add(stack, 'demo', 'Hog', '--run', `python3 -c 'x = b"x" * (6 << 30)'`)
    expect((await untilEnded(stack, hog.id)).reason).toContain('memory_limit')
    expect(await untilEnded(stack, neighbour.id)).toMatchObject({ state: 'done', attempt: 1 })
  })
})
