import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createInbox } from './inbox.ts'

function opened() {
  const calls: string[] = []
  const errors: unknown[] = []
  const socket = { pause: () => void calls.push('pause'), resume: () => void calls.push('resume') }
  const inbox = createInbox(socket, (error) => errors.push(error))
  const put = (name: string, ms: number, lane?: string) =>
    inbox.put(async () => {
      calls.push(`${name} begins`)
      await sleep(ms)
      calls.push(`${name} ends`)
    }, lane)
  return { calls, errors, inbox, put }
}

test('what one task sends is worked through in order, and another task does not wait for it', async () => {
  const { calls, put } = opened()
  put('a1', 20, 'a')
  put('a2', 1, 'a')
  put('b1', 5, 'b')
  await sleep(60)
  expect(calls).toEqual(['a1 begins', 'b1 begins', 'b1 ends', 'a1 ends', 'a2 begins', 'a2 ends'])
})

test('what is about no task waits for everything before it, and everything after waits for it', async () => {
  const { calls, put } = opened()
  put('a1', 10, 'a')
  put('b1', 20, 'b')
  put('hello', 10)
  put('a2', 1, 'a')
  await sleep(80)
  expect(calls.slice(-4)).toEqual(['hello begins', 'hello ends', 'a2 begins', 'a2 ends'])
  expect(calls.indexOf('b1 ends')).toBeLessThan(calls.indexOf('hello begins'))
})

test('a failure is told and does not stop what comes after it', async () => {
  const { calls, errors, inbox, put } = opened()
  inbox.put(() => {
    throw new Error('broken')
  }, 'a')
  put('a2', 1, 'a')
  put('all', 1)
  await sleep(30)
  expect(errors).toEqual([new Error('broken')])
  expect(calls).toEqual(['a2 begins', 'a2 ends', 'all begins', 'all ends'])
})

test('a socket with 64 messages not worked through is not read, and is again when half are', async () => {
  const { calls, inbox } = opened()
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  for (let at = 0; at < 64; at += 1) inbox.put(() => held, `task ${at % 8}`)
  expect([inbox.isPaused(), calls]).toEqual([true, ['pause']])
  release()
  await sleep(10)
  expect([inbox.isPaused(), calls]).toEqual([false, ['pause', 'resume']])
})
