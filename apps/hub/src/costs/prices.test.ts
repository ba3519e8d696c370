import { expect, test } from 'vitest'
import { costOf, knownPrice } from './prices.ts'

const usage = (part: object) => ({
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  estimated: false,
  ...part,
})

test('a model whose name nobody knows has no price', () => {
  expect(knownPrice('qwen3:8b')).toBeUndefined()
  expect(knownPrice('gpt-50')).toBeUndefined()
})

test('the longest name that fits decides, so that a small model is not paid like the large one', () => {
  expect(knownPrice('gpt-5-mini-2026-01-01')).toEqual(knownPrice('gpt-5-mini'))
  expect(knownPrice('gpt-5-2026-01-01')).toEqual(knownPrice('gpt-5'))
  expect(knownPrice('gpt-5-mini')).not.toEqual(knownPrice('gpt-5'))
})

test('input, output and cache have each their own price, and a fraction of a millionth counts as one', () => {
  const price = { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite: 3_750_000 }
  expect(costOf(price, usage({ inputTokens: 1_000_000 }))).toBe(3_000_000)
  expect(costOf(price, usage({ outputTokens: 1_000 }))).toBe(15_000)
  // The part of the input that came from the cache is not paid twice.
  expect(costOf(price, usage({ inputTokens: 1_000, cacheReadTokens: 1_000 }))).toBe(300)
  expect(costOf(price, usage({ inputTokens: 1_000, cacheWriteTokens: 1_000 }))).toBe(3_750)
  expect(costOf({ input: 1, output: 0, cacheRead: 0, cacheWrite: 0 }, usage({ inputTokens: 1 }))).toBe(1)
})
