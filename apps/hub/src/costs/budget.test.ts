import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { whyRefused, type BudgetRow } from './budget.ts'

const row = (part: Partial<BudgetRow>): BudgetRow => ({
  scope: 'workspace',
  limit: 100,
  spent: 0,
  reserved: 0,
  ...part,
})

test.each<[string, BudgetRow[], number, RegExp | undefined]>([
  ['there is no limit', [row({ limit: null })], 1_000_000, undefined],
  ['exactly the rest is asked for', [row({ spent: 60 })], 40, undefined],
  ['one more than the rest is asked for', [row({ spent: 60 })], 41, /budget of the workspace/],
  ['the rest is reserved by others', [row({ spent: 10, reserved: 90 })], 1, /reserved by calls under way/],
  ['only a narrow budget is too small', [row({}), row({ scope: 'task', limit: 5 })], 6, /budget of the task/],
  ['a budget of nothing is asked for nothing', [row({ limit: 0 })], 0, undefined],
])('when %s', (_, rows, max, expected) => {
  const why = whyRefused(rows, max)
  if (expected === undefined) expect(why).toBeUndefined()
  else expect(why).toMatch(expected)
})

test('whatever is let through, no budget is overshot by what is spent and reserved together', () => {
  const amount = fc.nat(1_000)
  const rows = fc.array(
    fc.record({
      scope: fc.constantFrom('workspace' as const, 'goal' as const, 'task' as const, 'run' as const),
      limit: fc.option(amount),
      spent: amount,
      reserved: amount,
    }),
  )
  fc.assert(
    fc.property(rows, amount, (given, max) => {
      const unique = given.filter((each, at) => given.findIndex(({ scope }) => scope === each.scope) === at)
      if (whyRefused(unique, max) !== undefined) return
      for (const { limit, spent, reserved } of unique) {
        if (limit !== null) expect(spent + reserved + max).toBeLessThanOrEqual(limit)
      }
    }),
  )
})
