import type { Usage } from '@muster/contract/loop'

/** Millionths of a US dollar per million tokens, which is also US dollars per million tokens × 1,000,000. */
export type Price = { input: number; output: number; cacheRead: number; cacheWrite: number }

/** The day on which the table was written. A price that changed since is set by hand for the workspace. */
export const pricesOf = '2026-11-20'

const dollars = (input: number, output: number, cacheRead: number, cacheWrite: number): Price => ({
  input: input * 1_000_000,
  output: output * 1_000_000,
  cacheRead: cacheRead * 1_000_000,
  cacheWrite: cacheWrite * 1_000_000,
})

/** By the beginning of a model's name; the longest that fits counts. What is not here has no price, and is not free. */
export const table: readonly [string, Price][] = [
  ['claude-opus', dollars(15, 75, 1.5, 18.75)],
  ['claude-sonnet', dollars(3, 15, 0.3, 3.75)],
  ['claude-haiku', dollars(1, 5, 0.1, 1.25)],
  ['claude-3-5-haiku', dollars(0.8, 4, 0.08, 1)],
  ['gpt-5', dollars(1.25, 10, 0.125, 1.25)],
  ['gpt-5-mini', dollars(0.25, 2, 0.025, 0.25)],
  ['gpt-5-nano', dollars(0.05, 0.4, 0.005, 0.05)],
  ['gpt-4.1', dollars(2, 8, 0.5, 2)],
  ['gpt-4.1-mini', dollars(0.4, 1.6, 0.1, 0.4)],
  ['gpt-4o', dollars(2.5, 10, 1.25, 2.5)],
  ['gpt-4o-mini', dollars(0.15, 0.6, 0.075, 0.15)],
]

export function knownPrice(model: string): Price | undefined {
  const fitting = table.filter(([name]) => model === name || model.startsWith(`${name}-`))
  return fitting.toSorted(([a], [b]) => b.length - a.length)[0]?.[1]
}

/** What local work of a tier is compared with, so that what it saves can be said. */
const references: Record<string, string> = {
  trivial: 'claude-haiku',
  standard: 'claude-sonnet',
  complex: 'claude-opus',
}

export function referencePrice(tier: string): Price {
  return knownPrice(references[tier] ?? 'claude-sonnet') ?? dollars(3, 15, 0.3, 3.75)
}

/** In millionths of a US dollar, rounded up: a fraction of one is not nothing. */
export function costOf(price: Price, usage: Usage): number {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage
  // What was read from a cache or written to one is part of the input, and has a price of its own.
  const plain = Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens)
  const sum =
    plain * price.input +
    outputTokens * price.output +
    cacheReadTokens * price.cacheRead +
    cacheWriteTokens * price.cacheWrite
  return Math.ceil(sum / 1_000_000)
}
