import { expect, test } from 'vitest'
import { slopeOf } from './slope.ts'

test('a line without noise is found exactly', () => {
  const { perUnit, within } = slopeOf([0, 1, 2, 3, 4].map((x) => [x, 7 + 0.5 * x] as const))
  expect(perUnit).toBeCloseTo(0.5)
  expect(within).toBeCloseTo(0)
})

test('noise around a level is within the interval around no slope', () => {
  const noise = [0.3, -0.4, 0.1, 0.5, -0.2, -0.5, 0.4, -0.1, 0.2, -0.3]
  const { perUnit, within } = slopeOf(noise.map((y, x) => [x, 100 + y] as const))
  expect(Math.abs(perUnit)).toBeLessThan(within)
})

test('two points say nothing about how sure their line is', () => {
  expect(
    slopeOf([
      [0, 1],
      [1, 2],
    ]).within,
  ).toBe(Number.POSITIVE_INFINITY)
})
