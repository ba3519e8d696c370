import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeMachine } from '../main-job/report.ts'
import { cycle, engines, peers, sockets } from './engines.ts'
import { installPeers } from './install-peers.ts'
import type { Sizes } from './measure.ts'
import type { Asked } from './one-measure.ts'
import { pageOf, type Found } from './page.ts'
import { openPlace, type Place } from './place.ts'
import type { Sample } from './series.ts'

const root = join(import.meta.dirname, '../../..')
const flag = (name: string) => process.argv.includes(`--${name}`)
const option = (name: string) =>
  process.argv.find((each) => each.startsWith(`--${name}=`))?.slice(name.length + 3)

type Plan = {
  rounds: number
  sizes: Sizes
  /** History and backlog of these sizes, in the first rounds. */
  rows: { count: number; rounds: number }[]
  /** Tasks in one go over sockets. */
  sustained: number
}

const short: Plan = {
  rounds: 1,
  sizes: { jobs: 200, single: { 1: 50, 10: 200, 50: 300 }, latencies: 10, limitMs: 5_000 },
  rows: [],
  sustained: 500,
}
const usual: Plan = {
  rounds: 5,
  sizes: { jobs: 10_000, single: { 1: 300, 10: 1_500, 50: 3_000 }, latencies: 60, limitMs: 30_000 },
  rows: [{ count: 1_000, rounds: 1 }],
  sustained: 10_000,
}
const full: Plan = {
  ...usual,
  rows: [
    { count: 1_000, rounds: 3 },
    { count: 100_000, rounds: 3 },
    { count: 1_000_000, rounds: 1 },
  ],
  sustained: 100_000,
}

/**
 * Muster's queue beside graphile-worker, pg-boss and a bare loop on one PostgreSQL with durable defaults. It fails when
 * something fails, never for being slow: what else the machine does is not known here.
 *
 * --short (for the test run), --full (a million rows), --write (docs/benchmarks.md); while working on it also
 * --rounds=N --jobs=N --only=NAME,NAME --no-profile
 */
async function main(): Promise<void> {
  const plan = flag('short') ? short : flag('full') ? full : usual
  const rounds = Number(option('rounds') ?? plan.rounds)
  const sizes = { ...plan.sizes, jobs: Number(option('jobs') ?? plan.sizes.jobs) }
  const without = await installPeers()
  if (without !== undefined) process.stdout.write(`The other queues cannot be installed: ${without}\n`)
  const wanted = option('only')?.split(',') ?? Object.keys(engines)
  const names = wanted.filter((name) => without === undefined || !peers.includes(name))
  const machine = await describeMachine()
  const place = await openPlace()
  try {
    const found: Found = {
      machine,
      commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim(),
      command: `npm run bench:queue -- ${process.argv.slice(2).join(' ')}`,
      flushes: [],
      jobs: sizes.jobs,
      samples: [],
      profiles: [],
      without,
    }
    for (let round = 1; round <= rounds; round += 1) {
      found.flushes.push(await place.flushesPerSecond())
      for (const engine of names) {
        const whats: Asked['what'][] = [{ kind: 'rates' }, { kind: 'latency' }]
        const large = plan.rows.filter((each) => round <= each.rounds)
        for (const { count: rows } of large) whats.push({ kind: 'history', rows }, { kind: 'backlog', rows })
        if (round === 1 && engine === sockets) whats.push({ kind: 'sustained', tasks: plan.sustained })
        if (engine === cycle) whats.push({ kind: 'row security' })
        for (const what of whats) {
          found.samples.push({ round, engine, ...(await ask(place, { engine, sizes, what })) })
        }
      }
    }
    // In the short form only the widest way, so that it stays under a minute.
    const profiled = names.filter((name) => name.startsWith('muster'))
    for (const engine of flag('no-profile') ? [] : profiled.slice(flag('short') ? -1 : 0)) {
      const { profile } = await place.measure({ engine, sizes, what: { kind: 'profile' } })
      found.profiles.push({ engine, profile })
    }
    const page = pageOf({ ...found, samples: byRound(found.samples) })
    process.stdout.write(`\n${page}`)
    if (flag('write')) writeFileSync(join(root, 'docs/benchmarks.md'), page)
  } finally {
    await place.close()
  }
}

async function ask(place: Place, asked: Parameters<Place['measure']>[0]): Promise<Pick<Sample, 'values'>> {
  const began = performance.now()
  const { values } = await place.measure(asked)
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  const said = Object.entries(values).map(([name, value]) => `${name} ${value.toFixed(value < 100 ? 1 : 0)}`)
  process.stderr.write(`${asked.engine} (${asked.what.kind}, ${seconds} s): ${said.join(', ')}\n`)
  return { values }
}

/** The measurements of one queue in one round as one. */
function byRound(samples: Sample[]): Sample[] {
  const keys = [...new Set(samples.map((each) => `${each.round} ${each.engine}`))]
  return keys.map((key) => {
    const same = samples.filter((each) => `${each.round} ${each.engine}` === key)
    const { round, engine } = same[0] as Sample
    return {
      round,
      engine,
      values: Object.assign({}, ...same.map((each) => each.values)) as Sample['values'],
    }
  })
}

await main()
