import { expect, test } from 'vitest'
import { delayAfter } from './backoff.ts'

test('waits 1 s, 2 s, 4 s and never more than 60 s between attempts', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 100].map(delayAfter)).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000,
  ])
})
