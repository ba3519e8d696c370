import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideRestart, noRestarts, type RestartHistory } from './restart-policy.ts'

function delaysOf(lives: number[]): (number | 'give_up')[] {
  let history: RestartHistory = noRestarts
  let at = 0
  const delays: (number | 'give_up')[] = []
  for (const livedMs of lives) {
    at += livedMs
    const decision = decideRestart(history, { at, livedMs })
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

test('a minute of health makes the next restart quick again', () => {
  expect(delaysOf([100, 100, 60_000, 100])).toEqual([500, 1_000, 500, 1_000])
})

test('the eleventh end within five minutes is the last', () => {
  expect(delaysOf(Array.from({ length: 20 }, () => 10)).at(-1)).toBe('give_up')
  expect(delaysOf(Array.from({ length: 20 }, () => 10))).toHaveLength(11)
})

test('a part that ends every minute is kept for ever', () => {
  expect(delaysOf(Array.from({ length: 200 }, () => 60_000))).not.toContain('give_up')
})

test('whatever the lives are, no delay is below half a second or above 15 s', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(120_000), { maxLength: 40 }), (lives) => {
      for (const delay of delaysOf(lives))
        if (delay !== 'give_up') expect(delay >= 500 && delay <= 15_000).toBe(true)
    }),
  )
})
