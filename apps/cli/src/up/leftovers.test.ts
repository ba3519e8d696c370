import { spawn } from 'node:child_process'
import { identify } from '@muster/postgres/process-identity'
import { expect, test } from 'vitest'
import { goneWithin, signal } from './leftovers.ts'

async function startSleeper() {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  const identity = await identify(child.pid ?? 0)
  if (identity === undefined) throw new Error('sleep did not start')
  return { child, identity }
}

test('a process that only has the recorded number is never sent a signal', async () => {
  const { child, identity } = await startSleeper()
  await signal({ pid: identity.pid, startedAt: 'of an earlier process' }, 'SIGKILL')
  expect(await goneWithin(identity, 200)).toBe(false)
  child.kill('SIGKILL')
})

test('the recorded process itself is ended and seen to be gone', async () => {
  const { identity } = await startSleeper()
  await signal(identity, 'SIGTERM')
  expect(await goneWithin(identity, 3_000)).toBe(true)
  await signal(identity, 'SIGTERM')
})
