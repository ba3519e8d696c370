import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { worker, type Worker } from '@muster/contract/workers'
import { eventually } from '@muster/testkit/eventually'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import { startProcess } from '@muster/testkit/processes'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { processesOf } from './processes-of.ts'
import { environment, expectNothingOf, newDirectory, startMuster, startStack, type Stack } from './stack.ts'
import { add, addRepo, eventsOf, logOf, runsOf, untilEnded, untilState } from './tasks-of.ts'

const root = join(import.meta.dirname, '../..')

let stack: Stack
let repo: GitRepo
let place: string
beforeAll(async () => {
  stack = await startStack({ env: { MUSTER_SLOTS: '1' } })
  repo = await gitRepo({ 'a.txt': 'A\n' })
  await addRepo(stack, 'demo', repo.path)
  place = await newDirectory('muster-scenario-service-')
})
afterAll(async () => {
  await stack.stop()
  await expectNothingOf(place)
  await rm(place, { recursive: true, force: true })
  await repo.remove()
})

/** A worker of its own token and data directory; eight slots make it the one that tasks are given to. */
async function joinAs(name: string, env: Record<string, string> = {}, data = join(place, name)) {
  const token = env['MUSTER_TOKEN'] ?? (await newToken(name))
  mkdirSync(data, { recursive: true, mode: 0o711 })
  const all = environment(data, { MUSTER_TOKEN: token, MUSTER_SLOTS: '8', ...env })
  const joined = startMuster(['worker', 'join', stack.url], all)
  onTestFinished(() => joined.kill('SIGTERM'))
  return { joined, data, token }
}

async function newToken(name: string): Promise<string> {
  const made = await stack.muster('token', 'create', name, '--worker', '--json')
  return (made.json() as { secret: string }).secret
}

async function joinAndWait(name: string, env: Record<string, string> = {}, data?: string) {
  const found = await joinAs(name, env, data)
  await found.joined.line(/connected to the hub/, { timeoutMs: 60_000 })
  return found
}

async function show(name: string): Promise<Worker> {
  return worker.parse((await stack.muster('worker', 'show', name, '--json')).json())
}

/** The process of the worker itself, not its supervisor. */
async function workerPid(data: string): Promise<number> {
  const found = (await processesOf(data)).find(({ command }) => command.endsWith('worker/src/main.ts'))
  if (found === undefined) throw new Error(`no worker runs in ${data}`)
  return found.pid
}

const sleepingTask = (seconds: number) =>
  add(stack, 'demo', 'Sleep', '--run', `sleep ${seconds}; echo slept > mark`, '--check', 'file_exists:mark')

const restartingOf = (name: string) =>
  `select data from muster.events where kind = 'worker.restarting' and data ->> 'worker' = '${name}'`

const kindsOf = async (id: string) => (await eventsOf(stack, id)).map(({ kind }) => kind)
const isRunning = (found: { phase: string | null }) => found.phase === 'running'
const backFrom = (name: string, restarts: number) =>
  eventually(
    async () => {
      const now = await show(name)
      return now.connected && !now.restarting && now.supervisor?.restarts === restarts ? now : undefined
    },
    { timeoutMs: 60_000, everyMs: 200, what: `${name} is back after ${restarts} restarts` },
  )

describe('a worker that is ordered to restart', () => {
  it('announces it, lets its task end, and is started again by what runs it', async () => {
    const before = await show('local')
    expect(before.supervisor).toMatchObject({ kind: 'up', restarts: 0 })
    expect(before.supervisor?.memoryBytes).toBeGreaterThan(20e6)
    const task = await sleepingTask(4)
    await untilState(stack, task.id, isRunning)
    const asked = performance.now()
    const answer = await stack.muster('worker', 'restart', 'local', '--json')
    expect(answer.code, answer.stderr).toBe(0)
    expect(performance.now() - asked).toBeLessThan(10_000)
    expect(answer.json()).toMatchObject({ name: 'local', restarting: true })

    const later = await sleepingTask(0)
    expect((await untilEnded(stack, task.id)).state).toBe('done')
    expect((await runsOf(stack, task.id)).map((run) => run.ending)).toEqual(['verified'])
    await backFrom('local', 1)
    // Nothing was given to it in between, and everything after.
    expect((await untilEnded(stack, later.id)).state).toBe('done')
    expect(await runsOf(stack, later.id)).toHaveLength(1)
    expect(readFileSync(join(stack.data, 'logs/worker.log'), 'utf8')).toContain('The worker restarts itself')
  })

  it('with --force gives its task back at once, long before the lease would have run out', async () => {
    const task = await sleepingTask(5)
    await untilState(stack, task.id, isRunning)
    const { supervisor } = await show('local')
    const asked = performance.now()
    expect((await stack.muster('worker', 'restart', 'local', '--force')).code).toBe(0)
    await eventually(async () => (await kindsOf(task.id)).includes('task.requeued'), { everyMs: 50 })
    expect(performance.now() - asked).toBeLessThan(8_000)
    await backFrom('local', (supervisor?.restarts ?? 0) + 1)
    expect((await untilEnded(stack, task.id)).state).toBe('done')
    expect((await runsOf(stack, task.id)).map((run) => run.ending)).toEqual(['verified', 'lost'])
  })

  it('does so too for a signal to its own process', async () => {
    const { data, joined } = await joinAndWait('signalled')
    expect((await show('signalled')).supervisor).toMatchObject({ kind: 'join', restarts: 0 })
    const first = await workerPid(data)
    process.kill(first, 'SIGUSR2')
    await backFrom('signalled', 1)
    expect(await workerPid(data)).not.toBe(first)
    expect(joined.output()).toContain('The worker restarts itself')
    const said = await stack.sql<{ data: object }>(restartingOf('signalled'))
    expect(said.map((row) => row.data)).toContainEqual(
      expect.objectContaining({ worker: 'signalled', cause: 'signal', reason: 'SIGUSR2' }),
    )
  })

  it('refuses when nobody would start it again, and goes on', async () => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      MUSTER_HUB: stack.url,
      MUSTER_TOKEN: await newToken('alone'),
      MUSTER_WORKER_DATA: join(place, 'alone'),
    }
    const byHand = startProcess(process.execPath, [join(root, 'apps/worker/src/main.ts')], { env })
    onTestFinished(() => byHand.kill('SIGTERM'))
    await byHand.line(/connected to the hub/)
    expect((await show('alone')).supervisor).toMatchObject({ kind: 'none' })
    const refused = await stack.muster('worker', 'restart', 'alone', '--json')
    expect([refused.code, JSON.parse(refused.stderr)]).toMatchObject([5, { code: 'worker_not_supervised' }])
    byHand.child.kill('SIGUSR2')
    await byHand.line(/nobody would start this worker again/)
    expect((await show('alone')).connected).toBe(true)
  })
})

describe('a worker that cannot be kept', () => {
  it('is started 50 times again and given up at its 51st end', async () => {
    // A setting that only the worker checks: it ends at once, each time.
    const bad = { MUSTER_WALL_TOOLS: 'not/absolute', MUSTER_WORKER_RESTART_DELAY: '0' }
    const { joined, data } = await joinAs('broken', bad)
    expect((await joined.exited).code).toBe(1)
    expect(joined.output().match(/must be absolute paths/g)).toHaveLength(51)
    expect(joined.output()).toContain(
      'The worker ended 51 times in a row within 5 s of its start; giving up.',
    )
    const [log] = readdirSync(join(data, 'logs'))
    expect(readFileSync(join(data, 'logs', log ?? ''), 'utf8')).toContain('giving up')
  })

  it('ends to be started again when its memory has grown above 200 MB, and says so to the hub', async () => {
    // A leak in its own process, and nothing else that is not as it is shipped.
    const leak = 'setTimeout(() => (globalThis.leak = Buffer.alloc(300e6, 1)), 7_000)'
    const env = {
      PATH: process.env['PATH'] ?? '',
      MUSTER_HUB: stack.url,
      MUSTER_TOKEN: await newToken('growing'),
      MUSTER_WORKER_DATA: join(place, 'growing'),
      MUSTER_SUPERVISOR: 'join',
      MUSTER_RESTARTS: '7',
    }
    const program = ['--import', `data:text/javascript,${leak}`, join(root, 'apps/worker/src/main.ts')]
    const growing = startProcess(process.execPath, program, { env })
    onTestFinished(() => growing.kill())
    await growing.line(/connected to the hub/)
    expect((await growing.exited).code).toBe(75)
    expect(growing.output()).toContain('the memory ceiling is exceeded')
    const [told] = await stack.sql<{ data: object }>(restartingOf('growing'))
    expect(told?.data).toMatchObject({
      cause: 'memory',
      reason: expect.stringMatching(/^Its memory is [345]\d\d MB, the ceiling 200 MB\.$/),
    })
  })
})

describe('a worker with a wake command', () => {
  it('runs it with the words of the task before it accepts, and says so in the output of the run', async () => {
    const print = join(place, 'woken.json')
    const program = `${process.execPath} -e 'fs.writeFileSync(process.argv[1], JSON.stringify([process.argv.slice(2), process.env]))'`
    const { joined } = await joinAndWait('waking', {
      MUSTER_WAKE: `${program} ${print} \${TASK_ID} \${TASK_DESCRIPTION}`,
    })
    const title = `Wake $(touch ${place}/hacked); '"`
    const task = await add(stack, 'demo', title, '--run', 'date > mark', '--check', 'file_exists:mark')
    expect((await untilEnded(stack, task.id)).state).toBe('done')
    const [words, env] = JSON.parse(readFileSync(print, 'utf8')) as [string[], Record<string, string>]
    expect(words).toEqual([task.id, title])
    expect(Object.keys(env).filter((name) => /MUSTER|TOKEN/.test(name))).toEqual([])
    expect(readdirSync(place)).not.toContain('hacked')
    const kinds = await kindsOf(task.id)
    expect(kinds.indexOf('task.woken')).toBeGreaterThan(kinds.indexOf('task.assigned'))
    expect(kinds.indexOf('task.woken')).toBeLessThan(kinds.indexOf('task.accepted'))
    expect(await logOf(stack, task.id)).toContain('The wake command exited with 0')
    await joined.kill('SIGTERM')
  })

  it('that is not there fails each attempt at once, and the task is not left working', async () => {
    const { joined } = await joinAndWait('asleep', { MUSTER_WAKE: '/nonexistent/wake ${TASK_ID}' })
    const asked = performance.now()
    const only = ['--worker', 'asleep', '--retries', '1']
    const task = await add(stack, 'demo', 'Never woken', '--run', 'true', '--allow-empty', ...only)
    const ended = await untilEnded(stack, task.id)
    // Two attempts, and the 2 s between them.
    expect(performance.now() - asked).toBeLessThan(20_000)
    expect(ended).toMatchObject({ state: 'dead', ending: 'execution_failed' })
    expect(ended.reason).toMatch(/wake_failed: The wake command could not be started: ENOENT/)
    expect((await runsOf(stack, task.id)).map((run) => run.ending)).toEqual(['refused', 'refused'])
    expect(await kindsOf(task.id)).toContain('task.wake_failed')
    await joined.kill('SIGTERM')
  })
})

const isRoot = process.getuid?.() === 0
describe.runIf(isRoot)('a worker whose disk is nearly full', () => {
  it('is given nothing and says why, and works again when there is room', async () => {
    const data = join(place, 'small')
    mkdirSync(data, { mode: 0o711 })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=711', 'tmpfs', data])
    onTestFinished(() => void execFileSync('umount', ['-l', data]))
    const { joined } = await joinAndWait('small', {}, data)
    writeFileSync(join(data, 'filler'), Buffer.alloc(62_000_000, 1))
    await eventually(async () => (await show('small')).blocked?.code === 'disk_full', {
      timeoutMs: 20_000,
      everyMs: 200,
    })
    expect((await stack.muster('worker', 'show', 'small')).stdout).toMatch(
      /^state +blocked \(disk_full: \d+ MB are free/m,
    )
    const elsewhere = await sleepingTask(0)
    expect(await untilEnded(stack, elsewhere.id)).toMatchObject({ state: 'done', worker: 'local' })
    await rm(join(data, 'filler'))
    await eventually(async () => (await show('small')).blocked === null, { timeoutMs: 20_000, everyMs: 200 })
    const here = await sleepingTask(0)
    expect(await untilEnded(stack, here.id)).toMatchObject({ state: 'done', worker: 'small' })
    await joined.kill('SIGTERM')
  })
})

describe('the logs', () => {
  it('of hub and worker have the same keys in each line, and no token', async () => {
    const lines = (name: string) =>
      readFileSync(join(stack.data, `logs/${name}.log`), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    const common = (name: string) =>
      ['level', 'time', 'pid', 'hostname', 'name', 'msg'].filter((key) =>
        lines(name).every((line) => key in line),
      )
    expect(lines('worker').length).toBeGreaterThan(3)
    expect(common('hub')).toEqual(['level', 'time', 'pid', 'hostname', 'name', 'msg'])
    expect(common('worker')).toEqual(common('hub'))
    expect(JSON.stringify([lines('hub'), lines('worker')])).not.toMatch(/muster_(worker|person)_\w/)
  })
})
