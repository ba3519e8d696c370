import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { batchDeltas, type Delta } from './batch-deltas.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function batches() {
  const heard: Delta[] = []
  return { heard, ...batchDeltas((delta) => heard.push(delta)) }
}
const text = (said: string): Delta => ({ channel: 'text', text: said })

test('what is said within 100 ms of the first word is one message', () => {
  const { heard, push } = batches()
  push(text('a'))
  vi.advanceTimersByTime(99)
  push(text('b'))
  expect(heard).toEqual([])
  vi.advanceTimersByTime(1)
  expect(heard).toEqual([text('ab')])
  push(text('c'))
  vi.advanceTimersByTime(100)
  expect(heard).toEqual([text('ab'), text('c')])
})

test('thinking and text are kept apart and in order', () => {
  const { heard, push, flush } = batches()
  push({ channel: 'thinking', text: 'hm' })
  push(text('a'))
  push({ channel: 'thinking', text: 'so' })
  flush()
  expect(heard).toEqual([{ channel: 'thinking', text: 'hm' }, text('a'), { channel: 'thinking', text: 'so' }])
})

test('nothing said is nothing sent, and nothing is sent twice', () => {
  const { heard, push, flush } = batches()
  push(text(''))
  flush()
  push(text('a'))
  flush()
  vi.advanceTimersByTime(1_000)
  expect(heard).toEqual([text('a')])
})

test('a model of a thousand words a second is at most ten messages a second', () => {
  const { heard, push } = batches()
  for (let at = 0; at < 3_000; at += 1) {
    push(text('x'))
    vi.advanceTimersByTime(1)
  }
  vi.advanceTimersByTime(100)
  expect(heard.length).toBeLessThanOrEqual(31)
  expect(heard.map((each) => each.text).join('')).toBe('x'.repeat(3_000))
})
