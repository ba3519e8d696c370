import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'

describe('parseDuration', () => {
  test.each([
    ['500ms', 500],
    ['2s', 2_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['2d', 172_800_000],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

  test.each(['', '5', 's', '5 s', '-5s', '5x', '1h 30m', '5S', '1e3s', '٣s', '5s\n'])(
    '%j is not a duration',
    (text) => expect(parseDuration(text)).toBeUndefined(),
  )

  test('a whole number of any unit is that many of it', () => {
    const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
    fc.assert(
      fc.property(
        fc.nat(999_999),
        fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])),
        (n, unit) => {
          expect(parseDuration(`${n}${unit}`)).toBe(n * units[unit])
        },
      ),
    )
  })

  test('whatever is written, the answer is undefined or a whole number of milliseconds', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = parseDuration(text)
        expect(ms === undefined || Number.isSafeInteger(ms)).toBe(true)
      }),
    )
  })
})

test.each([
  [40, '0.0s'],
  [3_240, '3.2s'],
  [59_000, '59s'],
  [200_000, '3m 20s'],
  [7_500_000, '2h 5m'],
  [200_000_000, '2d 7h'],
])('%d ms reads as %s', (ms, text) => expect(formatDuration(ms)).toBe(text))
