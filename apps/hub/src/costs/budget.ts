/** Where a call may be too much: from the widest to the narrowest, which is the order in which rows are locked. */
export const scopes = ['workspace', 'worker', 'goal', 'task', 'run'] as const
export type Scope = (typeof scopes)[number]

export type BudgetRow = { scope: Scope; limit: number | null; spent: number; reserved: number }

/**
 * Which budget does not let `max` through; undefined when all do. What is reserved counts as spent until it is settled, so
 * calls that run at the same time cannot overshoot together.
 */
export function whyRefused(rows: BudgetRow[], max: number): string | undefined {
  for (const scope of scopes) {
    const row = rows.find((each) => each.scope === scope)
    if (row === undefined || row.limit === null) continue
    const left = row.limit - row.spent - row.reserved
    if (max <= left) continue
    const reserved = row.reserved === 0 ? '' : `, ${inDollars(row.reserved)} are reserved by calls under way`
    return (
      `The budget of the ${scope} is ${inDollars(row.limit)}: ${inDollars(row.spent)} are spent${reserved}, and the next ` +
      `call may cost ${inDollars(max)}.`
    )
  }
  return undefined
}

export function inDollars(microUsd: number): string {
  return `$${(microUsd / 1_000_000).toFixed(microUsd % 10_000 === 0 ? 2 : 6)}`
}
