import { median, ratioOf, shown, valuesOf, type Sample } from './series.ts'
import { cycle, sockets } from './engines.ts'

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
  return [...targets.map(asRatio(samples)), ...withinMuster(samples)]
}

/** Aims about Muster alone. */
function withinMuster(samples: readonly Sample[]): string[][] {
  const value = (engine: string, name: string) => {
    const values = valuesOf(samples, engine, name)
    return values.length === 0 ? undefined : median(values)
  }
  const row = (what: string, aim: string, found: number | undefined, isMet: (found: number) => boolean) => [
    what,
    aim,
    found === undefined ? 'not measured' : found.toFixed(2),
    found === undefined ? '' : isMet(found) ? 'met' : 'not met',
  ]
  const by = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined ? undefined : a / b
  return [
    row(
      'a list under row-level security / by its owner',
      '<= 1.1',
      by(value(cycle, 'list p50, policy'), value(cycle, 'list p50, owner')),
      (found) => found <= 1.1,
    ),
    ...(['history', 'backlog'] as const).map((what) =>
      row(
        `jobs/s with 1 M rows of ${what} / with 100 k`,
        '>= 0.85',
        by(value(cycle, `${what} 1000000: jobs`), value(cycle, `${what} 100000: jobs`)),
        (found) => found >= 0.85,
      ),
    ),
    row(
      'task cycles/s sustained over sockets',
      '>= 400',
      value(sockets, 'sustained cycles'),
      (found) => found >= 400,
    ),
    row(
      'MB that the hub grows per 10 k tasks',
      '<= 1',
      value(sockets, 'hub MB more per 10 k'),
      (found) => found <= 1,
    ),
  ]
}

function asRatio(samples: readonly Sample[]) {
  return ({ what, name, of, to, least, most }: Target) => {
    const ratio = ratioOf(samples, name, of, to)
    const aim = least === undefined ? `<= ${most ?? ''}` : `>= ${least}`
    if (ratio === undefined) return [what, aim, 'not measured', '']
    const isMet = least === undefined ? ratio.median <= (most ?? 0) : ratio.median >= least
    return [what, aim, shown(ratio), isMet ? 'met' : 'not met']
  }
}
