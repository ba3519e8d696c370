import { expect, test } from 'vitest'
import { afterCheck, pauseMs } from './health.ts'

test('one failed check changes nothing, the second makes an endpoint unhealthy, an answer makes it healthy', () => {
  const healthy = { health: 'healthy' as const, failures: 0 }
  const once = afterCheck(healthy, false)
  expect(once).toEqual({ health: 'healthy', failures: 1 })
  const twice = afterCheck(once, false)
  expect(twice).toEqual({ health: 'unhealthy', failures: 2 })
  expect(afterCheck(twice, true)).toEqual(healthy)
  expect(afterCheck(once, true)).toEqual(healthy)
})

test('an endpoint that never answered stays unknown after one check and is unhealthy after two', () => {
  const once = afterCheck({ health: 'unknown', failures: 0 }, false)
  expect([once.health, afterCheck(once, false).health]).toEqual(['unknown', 'unhealthy'])
})

test('a pause doubles with each failure and ends at five minutes', () => {
  expect([1, 2, 3, 4].map(pauseMs)).toEqual([5_000, 10_000, 20_000, 40_000])
  expect(pauseMs(50)).toBe(300_000)
})
