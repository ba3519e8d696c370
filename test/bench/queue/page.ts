import { table } from '../main-job/report.ts'
import type { Profile } from './profile.ts'
import { columnsOf, median, ratioOf, shown, valuesOf, type Sample } from './series.ts'
import { block, headOf, memoryOf } from './long-page.ts'
import type { Point } from './sustained.ts'
import { targetRows } from './targets.ts'

export type Found = {
  machine: string
  commit: string
  command: string
  /** Flushes per second that the disk gave before each round. */
  flushes: number[]
  jobs: number
  /** Rates and latencies at the usual size, and not only rows of history and backlog. */
  usual: boolean
  samples: Sample[]
  profiles: { engine: string; profile: Profile[] }[]
  sustained: { engine: string; points: Point[] }[]
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
    'Written by `npm run bench:queue -- --write`, or with `--rows=N,N`. Only ratios within this one run say anything about another machine.',
    headOf(found),
    ...(found.without === undefined ? [] : [`**Without other queues:** ${found.without}`]),
    '## Aims',
    block(
      table([
        ['', 'aim', 'ratio, median [min-max]', ''],
        ...targetRows(samples).filter((row) => found.usual || !row.includes('not measured')),
      ]),
    ),
    found.usual ? whyNot(samples) : growth(samples, engines),
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
    ...found.sustained.map(memoryOf),
    ...found.profiles.map(profileOf),
  ].join('\n\n')}\n`
}

/** What each queue keeps of its own speed when there are more rows. */
function growth(samples: readonly Sample[], engines: string[]): string {
  const sizes = ['1000', '100000', '1000000'] as const
  const rows = ['history', 'backlog'].flatMap((what) =>
    sizes.slice(1).map((size, at) => [
      `jobs/s, ${what} of ${size} / of ${sizes[at]}`,
      ...engines.map((engine) => {
        const [many, few] = [size, sizes[at]].map((rows) =>
          valuesOf(samples, engine, `${what} ${rows}: jobs`),
        )
        if (many === undefined || few === undefined || many.length === 0 || few.length === 0) return '-'
        return (median(many) / median(few)).toFixed(2)
      }),
    ]),
  )
  return `## What each queue keeps of its own speed\n\n${block(table([['', ...engines], ...rows]))}`
}

/** Which aims the design does not reach, in words; what they rest on is in the tables and the profiles below. */
function whyNot(samples: readonly Sample[]): string {
  const micro = (engine: string) => {
    const [own, database] = ['queue µs', 'database µs'].map((name) => valuesOf(samples, engine, name))
    if (own === undefined || database === undefined || own.length === 0) return 'not measured'
    return `${median(own).toFixed(0)} + ${median(database).toFixed(0)} µs`
  }
  return [
    '## Why jobs per second are not 1.5 times the peers',
    'A job of the peers is one narrow row that is written, leased and marked or deleted. A task of Muster is a row in',
    'each of five tables (task, queue, run, evidence, and an event for every step), each under row-level security and',
    'behind the fence, and in its whole cycle it passes the database four times, one after the other: assigned,',
    'accepted, granted its branch, ended. All of it is done for many tasks in one transaction, in one statement per',
    'table, each row found by its key (docs/decisions/0016-plans-without-counts.md); what is left is the rows themselves.',
    'Processor time for a job at ten at once, of the queue and of the database, medians of this run:',
    `pg-boss ${micro('pg-boss')}, graphile-worker ${micro('graphile-worker')}, Muster's claim and end`,
    `${micro('muster claim+end')}, its whole cycle ${micro('muster whole cycle')}. To be 1.5 times as fast, both of Muster's`,
    'numbers together would have to be less than what the other queue takes, and the profiles name no statement whose absence',
    'would bring that. At ten at once a batch is ten tasks, so each of its transactions and round trips is shared by ten only.',
    'Handing in is bound the same way: three rows of a task and its answer, against one row of the bare loop.',
    'Aims that need what is not here are not in the table: BullMQ and pgbench are no part of this bench.',
  ].join('\n')
}

const words =
  '"muster claim+end" does what a job of the others does; "whole cycle" is a task of Muster from acceptance to ' +
  'the evidence that makes it done. Both have row-level security, the fence, runs and events.'

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
