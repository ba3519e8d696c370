import { randomInt } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { processesOf } from './processes-of.ts'
import { expectNothingOf, startStack, type CliResult, type Stack } from './stack.ts'
import { add, addRepo, eventsOf, getTask, untilEnded, untilState } from './tasks-of.ts'

let stack: Stack
let repo: GitRepo
beforeAll(async () => {
  stack = await startStack({ env: { MUSTER_MAX_RUNNING: '2', MUSTER_MAX_WAITING: '4' } })
  repo = await gitRepo({ 'a.txt': 'A\n' })
  await addRepo(stack, 'demo', repo.path)
})
afterAll(async () => {
  await stack.stop()
  await repo.remove()
})

const write = ['--run', 'echo x > x.txt', '--check', 'file_exists:x.txt']
const newMarker = () => `1000.${randomInt(1_000_000_000, 9_999_999_999)}`

async function done(...words: string[]): Promise<CliResult> {
  const result = await stack.muster(...words)
  expect([result.code, result.stderr], words.join(' ')).toEqual([0, expect.any(String)])
  return result
}

async function startSleeping(marker: string): Promise<string> {
  const { id } = await add(stack, 'demo', 'Sleep long', '--run', `sleep ${marker}`)
  await untilState(stack, id, (found) => found.phase === 'running')
  await expect.poll(async () => (await processesOf(`sleep ${marker}`)).length).toBeGreaterThan(0)
  return id
}

it('a paused queue keeps a task and says so, and resumed it lets it be done', async () => {
  await done('queue', 'pause')
  const { id } = await add(stack, 'demo', 'Held', ...write)
  expect((await done('task', 'show', id)).stdout).toContain(
    'The queue is paused; "npx muster queue resume" lets it go on.',
  )
  expect((await done('queue', 'show')).stdout).toMatch(/^queue +paused.*\n.*\nqueued +1 \(1 normal; /)
  // Longer than any look that would find it by chance.
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  expect(await getTask(stack, id)).toMatchObject({ state: 'queued', attempt: 0 })
  expect((await stack.muster('task', 'push', id, '--worker', 'local')).code).toBe(5)
  expect((await done('queue', 'resume')).stdout).toMatch(/^queue +open/)
  expect(await untilEnded(stack, id)).toMatchObject({ state: 'done', attempt: 1 })
})

it('a cordoned worker ends what it runs, gets nothing new, and is drained then', async () => {
  const { id } = await add(stack, 'demo', 'Short', '--run', 'sleep 3; echo x > x', '--check', 'file_exists:x')
  await untilState(stack, id, (found) => found.phase === 'running')
  const [drained, second] = await Promise.all([
    done('worker', 'drain', 'local', '--reason', 'new disk on Friday', '--timeout', '60s'),
    new Promise<void>((resolve) => setTimeout(resolve, 1_000)).then(() =>
      add(stack, 'demo', 'Late', ...write),
    ),
  ])
  expect(drained.stderr).toContain('local runs nothing and gets no new task.')
  expect(await getTask(stack, id)).toMatchObject({ state: 'done', attempt: 1 })
  expect(await getTask(stack, second.id)).toMatchObject({
    state: 'queued',
    reason: 'local is cordoned: new disk on Friday.',
  })
  expect((await done('worker', 'list')).stdout).toContain('idle (cordoned)')
  expect((await stack.muster('task', 'push', second.id, '--worker', 'local')).stderr).toContain('is cordoned')
  await done('worker', 'uncordon', 'local')
  expect(await untilEnded(stack, second.id)).toMatchObject({ state: 'done' })
})

it('a pushed task waits for nothing any more: not for its time and not for its turn', async () => {
  const { id } = await add(stack, 'demo', 'In an hour', ...write, '--lane', 'low', '--delay', '1h')
  expect((await getTask(stack, id)).reason).toMatch(/^Not before 20/)
  const refused = await stack.muster('task', 'push', id, '--worker', 'nobody', '--json')
  expect([refused.code, JSON.parse(refused.stderr)]).toEqual([
    3,
    expect.objectContaining({ code: 'worker_not_found' }),
  ])
  expect(await getTask(stack, id)).toMatchObject({ lane: 'low', onlyWorker: null })
  await done('task', 'push', id, '--worker', 'local')
  const ended = await untilEnded(stack, id)
  expect(ended).toMatchObject({ state: 'done', worker: 'local', onlyWorker: 'local' })
  expect(ended.assigned?.reason).toBe('Given to local: the task names it.')
})

it('a task that fails is tried again after a while and is dead then; people retry it, or delete it', async () => {
  const { id, short } = await add(stack, 'demo', 'Fails', '--run', 'exit 3', '--retries', '1')
  const watched = await stack.muster('task', 'watch', id)
  expect(watched.code).toBe(1)
  expect(watched.stderr).toMatch(
    /queued: Try 1 of 2 ended as execution_failed: The command exited with 3; next try in \d\.\ds\./,
  )
  expect(await getTask(stack, id)).toMatchObject({ state: 'dead', attempt: 2, failures: 1, retries: 1 })
  expect(
    (await eventsOf(stack, id)).map((event) => event.kind).filter((kind) => /ret|dead/.test(kind)),
  ).toEqual(['task.retrying', 'task.dead'])
  expect((await done('task', 'dead', 'list', '--ending', 'execution_failed')).stdout).toContain(short)
  expect((await done('task', 'dead', 'retry', '--ending', 'execution_failed')).stdout).toBe(
    '1 queued again\n',
  )
  expect(await untilEnded(stack, id)).toMatchObject({ state: 'dead', attempt: 4 })
  expect((await done('task', 'history', short)).stdout).toContain('task.retried')
  expect((await stack.muster('task', 'dead', 'delete')).code).toBe(2)
  expect((await done('task', 'dead', 'delete', '--repo', 'demo', '--yes')).stdout).toBe('1 deleted\n')
  expect((await stack.muster('task', 'show', short)).code).toBe(3)
  expect((await done('queue', 'show')).stdout).toMatch(/^dead +0$/m)
}, 90_000)

it('"queue stop" ends what runs within five seconds, leaves nothing of it and loses no task', async () => {
  const markers = [newMarker(), newMarker()]
  const ids = await Promise.all(markers.map(startSleeping))
  const began = performance.now()
  const { stdout } = await done('queue', 'stop')
  for (const marker of markers) await expectNothingOf(`sleep ${marker}`, 5_000)
  expect(performance.now() - began).toBeLessThan(5_000)
  expect(stdout).toBe('Stopped 2 runs; 1 worker heard it at once.\n')
  await expect.poll(() => readdir(join(stack.data, 'worker/runs')), { timeout: 5_000 }).toEqual([])
  for (const id of ids) expect(await getTask(stack, id)).toMatchObject({ state: 'queued', failures: 0 })
  for (const id of ids) await done('task', 'cancel', id)
  await done('queue', 'resume')
})

it('"worker stop" does so for one worker and cordons it', async () => {
  const marker = newMarker()
  const id = await startSleeping(marker)
  const { stderr } = await done('worker', 'stop', 'local', '--reason', 'it behaves oddly')
  await expectNothingOf(`sleep ${marker}`, 5_000)
  expect(stderr).toContain('1 task of local queued again. It was told to stop at once.')
  expect((await getTask(stack, id)).reason).toContain('local is cordoned: it behaves oddly')
  await done('task', 'cancel', id)
  await done('worker', 'uncordon', 'local')
})

it('a task that nobody claims within its time to live is dead, and another one waits on beside it', async () => {
  await done('queue', 'pause')
  const { id } = await add(stack, 'demo', 'Too late', ...write, '--ttl', '1s')
  const patient = await add(stack, 'demo', 'Patient', ...write)
  const ended = await untilEnded(stack, id)
  expect(ended).toMatchObject({ state: 'dead', ending: 'timed_out', attempt: 0 })
  expect(ended.reason).toContain('Nobody claimed it within 1 s')
  expect((await done('task', 'dead', 'list')).stdout).toContain('Too late')
  await done('queue', 'resume')
  expect(await untilEnded(stack, patient.id)).toMatchObject({ state: 'done' })
  await done('task', 'delete', id)
})

it('tasks of a repository that is not active wait, and go on when it is', async () => {
  await done('repo', 'deactivate', 'demo')
  const { id } = await add(stack, 'demo', 'Not yet', ...write)
  expect((await getTask(stack, id)).reason).toBe('The repository demo is not active.')
  expect((await done('repo', 'list')).stdout).toContain('not active')
  await done('repo', 'activate', 'demo')
  expect(await untilEnded(stack, id)).toMatchObject({ state: 'done' })
})

it('the limits that "up" was started with hold: one task more than may be queued is refused, and nothing of it stays', async () => {
  await done('queue', 'pause')
  const ids: string[] = []
  for (let index = 0; index < 4; index++) ids.push((await add(stack, 'demo', `Queued ${index}`, ...write)).id)
  // How full it is may be up to a second old.
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  const refused = await stack.muster(
    'task',
    'add',
    '--repo',
    'demo',
    '--title',
    'One more',
    '--run',
    'true',
    '--json',
  )
  expect([refused.code, refused.stdout, JSON.parse(refused.stderr)]).toEqual([
    75,
    '',
    expect.objectContaining({ code: 'too_many_waiting' }),
  ])
  expect((await done('queue', 'show')).stdout).toMatch(/^running +0 of at most 2\nqueued +4 /m)
  expect((await done('task', 'list')).stdout).not.toContain('One more')
  for (const id of ids) await done('task', 'cancel', id)
  await done('queue', 'resume')
})
