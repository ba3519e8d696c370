import { ratioOf, shown, type Sample } from './series.ts'

/** An aim of docs: a ratio within one run, and on which side of it is good. */
type Target = {
  what: string
  name: string
  of: string
  to: string
  least?: number
  most?: number
}

const targets: Target[] = [
  ...['muster claim+end', 'muster whole cycle'].flatMap((of) =>
    ['pg-boss', 'graphile-worker'].flatMap((to) =>
      ['jobs c=10', 'jobs c=50'].map((name) => ({
        what: `${name}/s, ${of} / ${to}`,
        name,
        of,
        to,
        least: 1.5,
      })),
    ),
  ),
  ...([10, 50] as const).map((clients) => ({
    what: `enqueue/s at ${clients} clients / NOTIFY in the transaction`,
    name: `enqueue c=${clients}`,
    of: 'muster whole cycle',
    to: 'bare loop',
    least: clients === 10 ? 5 : 10,
  })),
  {
    what: 'idle p50 / graphile-worker',
    name: 'idle p50',
    of: 'muster whole cycle',
    to: 'graphile-worker',
    most: 1.5,
  },
]

export function targetRows(samples: readonly Sample[]): string[][] {
  return targets.map(({ what, name, of, to, least, most }) => {
    const ratio = ratioOf(samples, name, of, to)
    const aim = least === undefined ? `<= ${most ?? ''}` : `>= ${least}`
    if (ratio === undefined) return [what, aim, 'not measured', '']
    const isMet = least === undefined ? ratio.median <= (most ?? 0) : ratio.median >= least
    return [what, aim, shown(ratio), isMet ? 'met' : 'not met']
  })
}
