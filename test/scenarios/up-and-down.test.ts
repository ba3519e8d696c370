import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from '@muster/testkit/eventually'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { processesOf } from './processes-of.ts'
import {
  environment,
  expectNothingOf,
  freePort,
  newDirectory,
  runMuster,
  startMuster,
  startStack,
  type Stack,
} from './stack.ts'
import { add, addAndWait, addRepo, getTask, untilEnded } from './tasks-of.ts'

const run = promisify(execFile)

let data: string
let repo: GitRepo
beforeAll(async () => void (repo = await gitRepo({ 'a.txt': 'A\n' })))
afterAll(() => repo.remove())
beforeEach(async () => void (data = await newDirectory('muster-scenario-updown-')))
afterEach(async () => {
  await expectNothingOf(data, 20_000)
  await rm(data, { recursive: true, force: true })
})

async function start(more: Parameters<typeof startStack>[0] = {}): Promise<Stack> {
  const stack = await startStack({ dataDir: data, ...more })
  onTestFinished(() => stack.process.kill('SIGTERM'))
  return stack
}
const work = ['--run', 'echo x > x', '--check', 'file_exists:x']

/** A task that runs behind its wall now, so that there is something of every kind to leave behind. */
async function startLongTask(stack: Stack): Promise<string> {
  await addRepo(stack, 'demo', repo.path)
  const { id } = await add(stack, 'demo', 'Long', '--run', 'sleep 3; echo x > x', '--check', 'file_exists:x')
  for (const part of [/cli\/src\/main/, /hub\/src\/main/, /worker\/src\/main/, /postgres/, /^sleep 3/]) {
    await expect
      .poll(async () => (await processesOf(data)).some(({ command }) => part.test(command)), {
        timeout: 10_000,
      })
      .toBe(true)
  }
  return id
}

describe('a start', () => {
  it('takes less than 5 s the second time, and finds everything as it was left', async () => {
    const first = await start()
    await addRepo(first, 'demo', repo.path)
    const { task } = await addAndWait(first, 'demo', 'Before', ...work)
    await first.stop()
    const second = await start()
    expect(second.startMs).toBeLessThan(5_000)
    expect(await getTask(second, task.id)).toEqual(task)
    expect((await addAndWait(second, 'demo', 'After', ...work)).code).toBe(0)
    await second.stop()
  })

  it('while one runs says so, names its address and leaves it alone', async () => {
    const running = await start()
    const pids = await running.pids()
    const again = await runMuster(['up'], environment(data, { MUSTER_PORT: String(running.port) }))
    expect([again.code, again.stdout.trim()]).toEqual([0, running.url])
    expect(again.stderr).toMatch(new RegExp(`runs already \\(process ${pids.up}\\)`))
    expect(await running.pids()).toEqual(pids)
    await running.stop()
  })

  it('on a taken port ends with 5, says which and what to do, and leaves nothing running', async () => {
    const port = await freePort()
    const other = createServer().listen(port, '127.0.0.1')
    onTestFinished(() => void other.close())
    const refused = await runMuster(['up', '--json'], environment(data, { MUSTER_PORT: String(port) }))
    expect(refused.code).toBe(5)
    const said = JSON.parse(refused.stderr.trim().split('\n').at(-1) ?? '') as Record<string, string>
    expect(said).toMatchObject({ code: 'port_taken' })
    expect(said['message']).toContain(String(port))
    expect(said['hint']).toContain('MUSTER_PORT')
    expect(existsSync(join(data, 'database'))).toBe(false)
  })

  it('for others than this machine is refused', async () => {
    const refused = await runMuster(['up'], environment(data, { MUSTER_HOST: '0.0.0.0' }))
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(/loopback/)
  })

  it('in a directory with spaces and quotes in its name works', async () => {
    const odd = join(data, `it's a "data" directory`)
    await mkdir(odd, { mode: 0o711 })
    const stack = await start({ dataDir: odd })
    await addRepo(stack, 'demo', repo.path)
    expect((await addAndWait(stack, 'demo', 'Odd', ...work)).code).toBe(0)
    await stack.stop()
  })

  it.skipIf(process.getuid?.() !== 0)('by an ordinary user works, with nothing of root’s', async () => {
    const uid = 65_534
    const home = await newDirectory('muster-scenario-user-', uid)
    const mine = join(home, 'repo')
    await cp(repo.path, mine, { recursive: true })
    await chmod(home, 0o755)
    await run('chown', ['-R', `${uid}:${uid}`, mine])
    const stack = await start({ dataDir: home, uid })
    const uids = new Set((await processesOf(home)).map((found) => found.uid))
    expect([...uids]).toEqual([uid])
    await addRepo(stack, 'demo', mine)
    const { code, task } = await addAndWait(stack, 'demo', 'As nobody', ...work)
    expect(code, task.reason ?? '').toBe(0)
    await stack.stop()
    await rm(home, { recursive: true, force: true })
  })
})

describe('an end', () => {
  // Made once: a new database takes longer than everything else here.
  let made: string
  beforeAll(async () => {
    made = await newDirectory('muster-scenario-made-')
    await (await startStack({ dataDir: made })).stop()
  })
  afterAll(() => rm(made, { recursive: true }))
  beforeEach(() => run('cp', ['-a', `${made}/.`, data]))

  it.each([
    ['Ctrl-C', (stack: Stack) => stack.process.child.kill('SIGINT')],
    ['SIGTERM', (stack: Stack) => stack.process.child.kill('SIGTERM')],
    ['a closed terminal', (stack: Stack) => stack.process.child.kill('SIGHUP')],
    ['muster down', async (stack: Stack) => expect((await stack.muster('down')).code).toBe(0)],
  ])('by %s in the middle of a task leaves no process, and the next start ends the task', async (_, end) => {
    const stack = await start()
    const id = await startLongTask(stack)
    const began = performance.now()
    await end(stack)
    expect((await stack.process.exited).code).toBe(0)
    expect(await processesOf(data)).toEqual([])
    expect(performance.now() - began).toBeLessThan(15_000)
    const next = await start()
    expect(await untilEnded(next, id)).toMatchObject({ state: 'done' })
    await next.stop()
  })

  it.each([
    ['the command', (stack: Stack) => stack.process.pid],
    ['the supervisor', async (stack: Stack) => (await stack.pids()).up],
  ])('by kill -9 of %s leaves no process after 20 s, and the next start ends the task', async (_, victim) => {
    const stack = await start()
    const id = await startLongTask(stack)
    process.kill(await victim(stack), 'SIGKILL')
    await expectNothingOf(data, 20_000)
    const next = await start()
    expect(await untilEnded(next, id)).toMatchObject({ state: 'done' })
    await next.stop()
  })

  it('by kill -9 of every process at once is followed by a start that ends the task', async () => {
    const stack = await start()
    const id = await startLongTask(stack)
    for (const { pid, command } of await processesOf(data)) {
      // Those behind the wall are ended by their bubblewrap; the others at the same moment.
      if (!/^sleep|^\/bin\/sh/.test(command)) process.kill(pid, 'SIGKILL')
    }
    await stack.process.exited
    const next = await start()
    expect(await untilEnded(next, id)).toMatchObject({ state: 'done' })
    await next.stop()
  })

  it('that comes at once after the start, before anything serves, leaves no process', async () => {
    for (const afterMs of [150, 700, 1_500]) {
      const early = startMuster(['up'], environment(data, { MUSTER_PORT: String(await freePort()) }))
      await new Promise((resolve) => setTimeout(resolve, afterMs))
      early.child.kill('SIGINT')
      await early.exited
      await expectNothingOf(data, 5_000)
    }
    const stack = await start()
    await stack.stop()
  })

  it('of something that does not run is said, and is no failure', async () => {
    const none = await runMuster(['down'], environment(data))
    expect(none.code).toBe(0)
    expect(none.stderr).toMatch(/does not run here/)
  })

  it('tells the parts’ own words to nobody but the logs', async () => {
    const stack = await start()
    await stack.stop()
    expect(await readFile(join(data, 'logs/hub.log'), 'utf8')).toContain('the hub serves')
    expect(stack.process.output()).not.toContain('"level"')
    await eventually(() => /Muster is stopped/.test(stack.process.output()))
  })
})
