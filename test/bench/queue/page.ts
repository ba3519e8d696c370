import { table } from '../main-job/report.ts'
import type { Profile } from './profile.ts'
import { columnsOf, median, ratioOf, shown, valuesOf, type Sample } from './series.ts'
import { targetRows } from './targets.ts'

export type Found = {
  machine: string
  commit: string
  command: string
  /** Flushes per second that the disk gave before each round. */
  flushes: number[]
  jobs: number
  samples: Sample[]
  profiles: { engine: string; profile: Profile[] }[]
  /** Why peers are absent. */
  without: string | undefined
}

/** The whole report, as it is printed and as docs/benchmarks.md holds it. Every number in it was measured by this run. */
export function pageOf(found: Found): string {
  const { samples } = found
  const engines = [...new Set(samples.map((sample) => sample.engine))]
  const columns = columnsOf(samples)
  return `${[
    '# The queue beside other queues',
    'Written by `npm run bench:queue -- --write`. Only ratios within this one run say anything about another machine.',
    block(
      `${found.machine}\ncommit ${found.commit}, ${found.command}\n` +
        `flushes per second before each round: ${found.flushes.map((each) => each.toFixed(0)).join(', ')}`,
    ),
    ...(found.without === undefined ? [] : [`**Without other queues:** ${found.without}`]),
    '## Aims',
    block(table([['', 'aim', 'ratio, median [min-max]', ''], ...targetRows(samples)])),
    `## Medians\n\n${found.jobs} jobs, claimed 100 at a time by every queue; per second, or milliseconds where it says p50 or p99, or\nmicroseconds of processor time per job. ${words}`,
    block(
      table([
        ['', ...engines],
        ...columns.map((name) => [name, ...engines.map((engine) => cell(valuesOf(samples, engine, name)))]),
      ]),
    ),
    '## Beside each other queue, paired within rounds',
    ...engines
      .filter((engine) => engine.startsWith('muster'))
      .map((engine) => block(comparison(samples, engine, engines, columns))),
    ...found.profiles.map(profileOf),
  ].join('\n\n')}\n`
}

const words =
  '"muster claim+end" does what a job of the others does; "whole cycle" is a task of Muster from acceptance to ' +
  'the evidence that makes it done. Both have row-level security, the fence, runs and events.'

const block = (text: string) => `\`\`\`text\n${text}\n\`\`\``

function cell(values: number[]): string {
  if (values.length === 0) return '-'
  const value = median(values)
  return value < 100 ? value.toFixed(1) : value.toFixed(0)
}

function comparison(
  samples: readonly Sample[],
  engine: string,
  engines: string[],
  columns: string[],
): string {
  const others = engines.filter((other) => !other.startsWith('muster'))
  return table([
    [engine, ...others.map((other) => `/ ${other}`)],
    ...columns.map((name) => [name, ...others.map((other) => shown(ratioOf(samples, name, engine, other)))]),
  ])
}

function profileOf({ engine, profile }: Found['profiles'][number]): string {
  const parts = profile.map(({ phase, jobs, seconds, statements }) => {
    const rows = statements.map((each) => [
      each.statement.replaceAll(/\s+/g, ' ').slice(0, 70),
      (each.calls / jobs).toFixed(3),
      ((each.ms * 1_000) / jobs).toFixed(1),
      (each.walKb / jobs).toFixed(2),
    ])
    const title = `${phase}: ${jobs} tasks in ${seconds.toFixed(1)} s`
    return block(table([[title, 'calls/task', 'µs/task', 'WAL kB/task'], ...rows]))
  })
  return [`## Where the time goes: ${engine}`, ...parts].join('\n\n')
}
