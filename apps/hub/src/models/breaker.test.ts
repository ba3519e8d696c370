import { expect, test } from 'vitest'
import { pauseFor } from './breaker.ts'

const now = Date.parse('2026-01-01T00:00:00Z')

test.each([
  ['unavailable', 1, 5_000],
  ['cut_off', 2, 10_000],
  ['busy', 3, 20_000],
  ['quota', 9, 60_000],
  ['invalid_request', 1, null],
  ['refused', 1, null],
  ['aborted', 1, null],
  ['something new', 1, null],
])('a run that met "%s" for the %ith time pauses its endpoint for %s ms', (name, trips, ms) => {
  expect(pauseFor({ class: name }, trips, now)).toBe(ms)
})

test('a quota pauses until it is reset, within bounds', () => {
  const at = (seconds: number) =>
    pauseFor({ class: 'quota', resetAt: new Date(now + seconds * 1_000) }, 1, now)
  expect([at(90), at(-5), at(1e9)]).toEqual([90_000, 5_000, 31 * 86_400_000])
})
