import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideRestart, noRestarts, partPolicy, workerPolicy, type RestartHistory } from './restart-policy.ts'

function delaysOf(lives: number[], policy = partPolicy): (number | 'give_up')[] {
  let history: RestartHistory = noRestarts
  let at = 0
  const delays: (number | 'give_up')[] = []
  for (const livedMs of lives) {
    at += livedMs
    const decision = decideRestart(policy, history, { at, livedMs })
    if (decision.action === 'give_up') return [...delays, 'give_up']
    history = decision.history
    at += decision.delayMs
    delays.push(decision.delayMs)
  }
  return delays
}

test('the delay doubles from half a second to 15 s', () => {
  expect(delaysOf(Array.from({ length: 8 }, () => 100))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000,
  ])
})

test('what had lived for ten seconds is started again at once, and one that then fails waits', () => {
  expect(delaysOf([10_000, 9_999, 100, 10_000, 100])).toEqual([0, 1_000, 2_000, 0, 1_000])
})

test('the eleventh end within five minutes is the last', () => {
  expect(delaysOf(Array.from({ length: 20 }, () => 10)).at(-1)).toBe('give_up')
  expect(delaysOf(Array.from({ length: 20 }, () => 10))).toHaveLength(11)
})

test('a part that breaks every twelve seconds is not started at once for ever', () => {
  expect(delaysOf(Array.from({ length: 20 }, () => 12_000))).toEqual([
    ...Array.from({ length: 10 }, () => 0),
    'give_up',
  ])
})

test('a part that ends every minute is kept for ever', () => {
  expect(delaysOf(Array.from({ length: 200 }, () => 60_000))).not.toContain('give_up')
})

test('whatever the lives are, no delay is above 15 s, and only after a good start is one below half a second', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(120_000), { maxLength: 40 }), (lives) => {
      for (const [at, delay] of delaysOf(lives).entries()) {
        if (delay === 'give_up') continue
        if ((lives[at] ?? 0) < 10_000) expect(delay >= 500 && delay <= 15_000).toBe(true)
        else expect(delay).toBe(0)
      }
    }),
  )
})

const worker = workerPolicy({ restarts: 50, minUptimeMs: 5_000, delayMs: 2_000 })

test('a worker that never comes up is started 50 times again, each after 2 s, and its 51st end is the last', () => {
  const delays = delaysOf(
    Array.from({ length: 60 }, () => 4_999),
    worker,
  )
  expect(delays).toEqual([...Array.from({ length: 50 }, () => 2_000), 'give_up'])
})

test('five seconds of life are a good start: the count begins anew', () => {
  const lives = [...Array.from({ length: 50 }, () => 10), 5_000, ...Array.from({ length: 49 }, () => 10)]
  expect(delaysOf(lives, worker)).not.toContain('give_up')
  expect(delaysOf([...lives, 10], worker).at(-1)).toBe('give_up')
})

test('all restarts are counted, also those after a good start', () => {
  let history: RestartHistory = noRestarts
  for (let at = 1; at <= 120; at++) {
    const decision = decideRestart(worker, history, { at: at * 10_000, livedMs: 8_000 })
    if (decision.action === 'restart') history = decision.history
  }
  expect(history).toMatchObject({ restarts: 120, inARow: 1 })
})
