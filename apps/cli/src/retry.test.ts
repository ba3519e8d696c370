import { expect, test } from 'vitest'
import { pauseBefore } from './retry.ts'

test('a lost connection is tried again for about ten seconds and then given up', () => {
  let total = 0
  let tries = 0
  for (; ; tries++) {
    const pause = pauseBefore(tries, { code: 'hub_unreachable', status: 0 })
    if (pause === null) break
    total += pause
  }
  expect(total).toBeGreaterThan(9_000)
  expect(total).toBeLessThan(12_000)
})

test.each([400, 401, 404, 409, 422, 429, 500])('a refusal with status %d is final', (status) => {
  expect(pauseBefore(0, { code: 'any', status })).toBeNull()
})

test('what was stopped and not recorded is asked for a few times more, and then said', () => {
  const failure = { code: 'stopped_unrecorded', status: 503 }
  expect([0, 1, 2, 3].map((tries) => pauseBefore(tries, failure))).toEqual([1_000, 2_000, 3_000, null])
})

test('a full disk does not get room by waiting', () => {
  expect(pauseBefore(0, { code: 'database_full', status: 503 })).toBeNull()
})

test('a machine without a wall does not get one by waiting', () => {
  expect(pauseBefore(0, { code: 'sandbox_unavailable', status: 503 })).toBeNull()
  expect(pauseBefore(0, { code: 'database_unavailable', status: 503 })).toBe(200)
})
