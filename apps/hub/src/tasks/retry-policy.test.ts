import { endings } from '@muster/contract/task-states'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterRun, defaultRetries, retryDelayMs } from './retry-policy.ts'

test('a command is tried again once, everything else three times', () => {
  expect(defaultRetries({ run: 'make' })).toBe(1)
  expect(defaultRetries({})).toBe(3)
})

test.each(endings)('a task whose runs all end as %s comes to an end', (ending) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 }), (retries) => {
      let failures = 0
      while (afterRun(ending, { failures, retries }) === 'retry') failures += 1
      expect(failures).toBeLessThanOrEqual(retries)
    }),
  )
})

test('only a verified run is done, and only a failure that another try may turn is tried again', () => {
  const fresh = { failures: 0, retries: 3 }
  expect(endings.filter((ending) => afterRun(ending, fresh) === 'done')).toEqual(['verified'])
  expect(endings.filter((ending) => afterRun(ending, fresh) === 'retry')).toEqual([
    'execution_failed',
    'timed_out',
    'stalled',
  ])
})

test('each try waits longer than the one before, up to ten minutes and a quarter', () => {
  expect([1, 2, 3].map((failures) => retryDelayMs(failures, 0))).toEqual([2_000, 8_000, 32_000])
  expect(retryDelayMs(10, 1)).toBe(750_000)
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, spread) => {
        expect(retryDelayMs(failures, spread)).toBeGreaterThanOrEqual(retryDelayMs(failures, 0))
        expect(retryDelayMs(failures + 1, 0)).toBeGreaterThanOrEqual(retryDelayMs(failures, 0))
      },
    ),
  )
})
