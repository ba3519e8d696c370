import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeMachine } from '../main-job/report.ts'
import { engines } from './engines.ts'
import { installPeers } from './install-peers.ts'
import { longPageOf } from './long-page.ts'
import type { Answered } from './one-measure.ts'
import { pageOf, type Found } from './page.ts'
import { openPlace, type Place } from './place.ts'
import { enginesOf, measuresOf, planOf } from './plan.ts'
import type { Sample } from './series.ts'

const root = join(import.meta.dirname, '../../..')
const flag = (name: string) => process.argv.includes(`--${name}`)
const option = (name: string) =>
  process.argv.find((each) => each.startsWith(`--${name}=`))?.slice(name.length + 3)

/**
 * Muster's queue beside graphile-worker, pg-boss and a bare loop on one PostgreSQL with durable defaults. It fails when
 * something fails, never for being slow: what else the machine does is not known here.
 *
 * --short     for the test run
 * --full      with a million rows, and 100,000 tasks in one go
 * --write     into docs/benchmarks.md
 * --rows=N,N  only with so many rows of history and of backlog. With --write into docs/benchmarks-rows.md
 * --million   only a million tasks in one go, through the rooms and over sockets, and the hub's memory after each twentieth;
 *             --million=N for another number. With --write into docs/benchmarks-million.md
 * while working on it also --rounds=N --jobs=N --only=NAME,NAME --no-profile
 */
async function main(): Promise<void> {
  const plan = planOf({ flag, option })
  const { rounds, sizes } = plan
  const without = await installPeers()
  if (without !== undefined) process.stdout.write(`The other queues cannot be installed: ${without}\n`)
  const names = enginesOf(plan, Object.keys(engines), option('only'), without !== undefined)
  const machine = await describeMachine()
  const place = await openPlace()
  try {
    const found: Found = {
      machine,
      commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim(),
      command: `npm run bench:queue -- ${process.argv.slice(2).join(' ')}`,
      flushes: [],
      jobs: sizes.jobs,
      usual: plan.usual,
      samples: [],
      profiles: [],
      sustained: [],
      without,
    }
    for (let round = 1; round <= rounds; round += 1) {
      found.flushes.push(await place.flushesPerSecond())
      for (const engine of names) {
        for (const what of measuresOf(plan, engine, round)) {
          const { values, points } = await ask(place, { engine, sizes, what })
          found.samples.push({ round, engine, values })
          if (points !== undefined) found.sustained.push({ engine, points })
        }
      }
    }
    // In the short form only the widest way, so that it stays under a minute.
    const profiled = names.filter((name) => name.startsWith('muster'))
    for (const engine of plan.profiles ? profiled.slice(flag('short') ? -1 : 0) : []) {
      const { profile = [] } = await place.measure({ engine, sizes, what: { kind: 'profile' } })
      found.profiles.push({ engine, profile })
    }
    const isLong = !plan.usual && plan.sustained !== undefined
    const page = isLong ? longPageOf(found) : pageOf({ ...found, samples: byRound(found.samples) })
    process.stdout.write(`\n${page}`)
    const name = isLong ? 'benchmarks-million.md' : plan.usual ? 'benchmarks.md' : 'benchmarks-rows.md'
    if (flag('write')) writeFileSync(join(root, 'docs', name), page)
  } finally {
    await place.close()
  }
}

async function ask(place: Place, asked: Parameters<Place['measure']>[0]): Promise<Answered> {
  const began = performance.now()
  const answered = await place.measure(asked)
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  const said = Object.entries(answered.values).map(
    ([name, value]) => `${name} ${value.toFixed(value < 100 ? 1 : 0)}`,
  )
  process.stderr.write(`${asked.engine} (${asked.what.kind}, ${seconds} s): ${said.join(', ')}\n`)
  return answered
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
