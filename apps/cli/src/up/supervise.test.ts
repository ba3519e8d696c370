import { expect, test } from 'vitest'
import type { Failure } from '../failure.ts'
import type { Running } from './child.ts'
import { supervise } from './supervise.ts'

/** A part whose end is in the test's hands. */
function createPart(failures = 0) {
  const started: { end: (how: string) => void; stopped: boolean }[] = []
  let left = failures
  return {
    started,
    name: 'hub',
    logPath: '/logs/hub.log',
    async start(): Promise<Running> {
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
