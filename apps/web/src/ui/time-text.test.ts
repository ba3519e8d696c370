import { expect, test } from 'vitest'
import { momentText, tookText } from './time-text.ts'

test.each([
  [0, '0.0s'],
  [640, '0.6s'],
  [9_960, '10.0s'],
  [10_000, '10s'],
  [72_000, '1m 12s'],
])('%i ms took %s', (ms, text) => {
  expect(tookText(ms)).toBe(text)
})

test('a moment of today is a time of day, and one of another day has its date', () => {
  const now = Date.parse('2026-03-04T10:00:00Z')
  expect(momentText('2026-03-04T10:00:30.123Z', now)).toMatch(/^\d\d:\d\d:30$/)
  expect(momentText('2026-03-09T10:00:30Z', now)).toContain('2026')
})
