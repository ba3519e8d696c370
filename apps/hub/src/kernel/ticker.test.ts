import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createTicker } from './ticker.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function counting(work: () => Promise<void> = async () => {}) {
  const errors: unknown[] = []
  const seen = { runs: 0, atOnce: 0, most: 0 }
  const ticker = createTicker({
    everyMs: 1_000,
    onError: (error) => errors.push(error),
    work: async () => {
      seen.runs += 1
      seen.most = Math.max(seen.most, ++seen.atOnce)
      await work().finally(() => (seen.atOnce -= 1))
    },
  })
  return { ticker, seen, errors }
}

test('a loop runs at once and then each second', async () => {
  const { seen } = counting()
  await vi.advanceTimersByTimeAsync(0)
  expect(seen.runs).toBe(1)
  await vi.advanceTimersByTimeAsync(3_500)
  expect(seen.runs).toBe(4)
})

test('pokes during a run cause exactly one more, and never two at once', async () => {
  const { ticker, seen } = counting(() => new Promise((resolve) => setTimeout(resolve, 100)))
  await vi.advanceTimersByTimeAsync(10)
  for (let n = 0; n < 5; n++) ticker.poke()
  await vi.advanceTimersByTimeAsync(150)
  expect(seen).toMatchObject({ runs: 2, most: 1 })
})

test('a run that fails is reported and the next one happens', async () => {
  const { seen, errors } = counting(() => Promise.reject(new Error('no database')))
  await vi.advanceTimersByTimeAsync(2_500)
  expect(seen.runs).toBe(3)
  expect(errors).toHaveLength(3)
})

test('stopping waits for the run and nothing runs after it', async () => {
  const { ticker, seen } = counting(() => new Promise((resolve) => setTimeout(resolve, 500)))
  await vi.advanceTimersByTimeAsync(10)
  ticker.poke()
  const stopped = ticker.stop()
  await vi.advanceTimersByTimeAsync(5_000)
  await stopped
  ticker.poke()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(seen.runs).toBe(1)
})
