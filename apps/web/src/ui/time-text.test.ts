import { expect, test } from 'vitest'
import { tookText } from './time-text.ts'

test.each([
  [0, '0.0s'],
  [640, '0.6s'],
  [9_960, '10.0s'],
  [10_000, '10s'],
  [72_000, '1m 12s'],
])('%i ms took %s', (ms, text) => {
  expect(tookText(ms)).toBe(text)
})
