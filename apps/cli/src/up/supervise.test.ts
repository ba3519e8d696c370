import { expect, test } from 'vitest'
import { Failure } from '../failure.ts'
import type { Running } from './child.ts'
import { partPolicy } from './restart-policy.ts'
import { supervise } from './supervise.ts'

/** A part whose end is in the test's hands. */
function createPart(failures = 0) {
  const started: { end: (how: string) => void; stopped: boolean }[] = []
  let left = failures
  const logged: string[] = []
  return {
    started,
    name: 'hub',
    log: { path: '/logs/hub.log', write: (line: string | Uint8Array) => void logged.push(String(line)) },
    logged,
    policy: partPolicy,
    counts: [] as number[],
    async start(restarts: number): Promise<Running> {
      this.counts.push(restarts)
      if (started.length > 0 && left-- > 0) throw new Error('the port is taken')
      let end: (how: string) => void = () => {}
      const ended = new Promise<string>((resolve) => {
        end = resolve
      })
      const one = { end, stopped: false }
      started.push(one)
      const stop = async () => {
        one.stopped = true
        end('SIGTERM')
      }
      return { identity: { pid: started.length, startedAt: '1' }, ended, stop, kill: () => {} }
    },
  }
}

function createListener() {
  const said: string[] = []
  const failures: Failure[] = []
  return {
    said,
    failures,
    changed: async () => {},
    say: (text: string) => void said.push(text),
    givenUp: (why: Failure) => void failures.push(why),
  }
}

test('a part that ends unasked is started again, and the person is told with the log', async () => {
  const [part, on] = [createPart(), createListener()]
  const supervised = await supervise(part, on)
  part.started[0]?.end('SIGKILL')
  await expect.poll(() => supervised.current()?.identity.pid, { timeout: 3_000 }).toBe(2)
  expect(on.said[0]).toContain('The hub ended (SIGKILL); starting it again in 0.5 s. Its log: /logs/hub.log')
  await supervised.stop()
  expect(part.started[1]?.stopped).toBe(true)
  expect(part.started).toHaveLength(2)
})

test('a part that had run well is started again without a delay', async () => {
  const policy = { ...partPolicy, healthyAfterMs: 0, firstDelayMs: 600_000 }
  const [part, on] = [{ ...createPart(), policy }, createListener()]
  const supervised = await supervise(part, on)
  part.started[0]?.end('SIGKILL')
  await expect.poll(() => supervised.current()?.identity.pid).toBe(2)
  expect(on.said[0]).toContain('starting it again at once')
  await supervised.stop()
})

test('a part that was asked to stop is not started again, also while it waits for its next start', async () => {
  const [part, on] = [createPart(), createListener()]
  const supervised = await supervise(part, on)
  part.started[0]?.end('exit code 1')
  await expect.poll(() => on.said.length).toBe(1)
  await supervised.stop()
  await new Promise((resolve) => setTimeout(resolve, 700))
  expect(part.started).toHaveLength(1)
})

test('a start that fails counts like an end and is tried again', async () => {
  const [part, on] = [createPart(1), createListener()]
  const supervised = await supervise(part, on)
  part.started[0]?.end('exit code 1')
  await expect.poll(() => part.started.length, { timeout: 4_000 }).toBe(2)
  expect(on.said.join('\n')).toContain('did not start: the port is taken')
  await supervised.stop()
})

test('the first start must work', async () => {
  const part = { ...createPart(), start: async () => Promise.reject(new Error('no disk')) }
  await expect(supervise(part, createListener())).rejects.toThrow('no disk')
})

test('each start is told how many there were before, and an end that was planned is called so', async () => {
  const policy = { ...partPolicy, firstDelayMs: 1 }
  const [part, on] = [{ ...createPart(), policy }, createListener()]
  const supervised = await supervise(part, on)
  part.started[0]?.end('exit code 75')
  await expect.poll(() => part.started.length).toBe(2)
  part.started[1]?.end('SIGSEGV')
  await expect.poll(() => part.started.length).toBe(3)
  expect(part.counts).toEqual([0, 1, 2])
  expect(on.said[0]).toContain('The hub restarts itself; starting it again')
  expect(on.said[2]).toContain('The hub ended (SIGSEGV)')
  // In the part's own log too, with the keys of its other lines.
  expect(part.logged.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(on.said)
  expect(Object.keys(JSON.parse(part.logged[0] ?? '') as object)).toEqual([
    'level',
    'time',
    'pid',
    'hostname',
    'name',
    'msg',
  ])
  await supervised.stop()
})

test('an end that is final is not followed by another start, and says why', async () => {
  const why = new Failure('token_refused', 'The hub refuses the token.', 'Make another one.', 4)
  const isFinal = (how: string) => (how === 'exit code 4' ? why : undefined)
  const [part, on] = [{ ...createPart(), isFinal }, createListener()]
  const supervised = await supervise(part, on)
  part.started[0]?.end('exit code 4')
  await expect.poll(() => on.failures).toEqual([why])
  await supervised.stop()
  expect(part.started).toHaveLength(1)
})

test('a part is given up at the end that its policy says, with the number', async () => {
  const policy = { ...partPolicy, firstDelayMs: 1, longestDelayMs: 1, mostInARow: 3, healthyAfterMs: 5_000 }
  const [part, on] = [{ ...createPart(), policy }, createListener()]
  const supervised = await supervise(part, on)
  for (let at = 0; at < 4; at++) {
    await expect.poll(() => part.started.length).toBe(at + 1)
    part.started[at]?.end('exit code 1')
  }
  await expect.poll(() => on.failures.length).toBe(1)
  expect(on.failures[0]?.message).toBe('The hub ended 4 times in a row within 5 s of its start; giving up.')
  await supervised.stop()
})
