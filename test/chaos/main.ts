import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { faults, scheduleOf } from './faults/catalogue.ts'
import { openHistory } from './load/history.ts'
import { createRandom } from './random.ts'
import { createReader } from './rig/reader.ts'
import { startRig } from './rig/rig.ts'
import { playRound, type Round } from './round.ts'
import { workerNames } from './settings.ts'
import { runOf, summarise, type Summary } from './summary.ts'

// A fault that came too late or too early is tried again, and counted only when it hit.
const tries = 6

// All of them are in the summary.
const shownViolations = 6

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    /** Only faults whose name has this in it. */
    only: { type: 'string', default: '' },
    notify: { type: 'string', default: 'on' },
  },
})

async function main(): Promise<number> {
  const seed = Number(values.seed)
  const results = join(import.meta.dirname, 'results', `seed-${seed}`)
  rmSync(results, { recursive: true, force: true })
  mkdirSync(results, { recursive: true })
  const notify = values.notify === 'off' ? 'off' : 'on'
  const rig = await startRig({ hubs: 1, workers: workerNames, logDir: results, notify })
  const reader = createReader(rig.database)
  const history = openHistory(join(results, 'history.jsonl'))
  const random = createRandom(seed)
  const wanted = faults.filter((fault) => fault.name.includes(values.only))
  const without = wanted.flatMap((fault) => {
    const lack = fault.lacks?.(rig)
    return lack === undefined ? [] : [`${fault.name}: ${lack}`]
  })
  const available = wanted.filter((fault) => fault.lacks?.(rig) === undefined)
  for (const lack of without) say(`skipped  ${lack}`)
  const names = available.map((fault) => fault.name)
  const run = { ...(await runOf(seed)), asked: Number(values.rounds), faults: names, without, notify }
  const rounds: Round[] = []
  // After each round, so that a run that is ended early has shown what it has.
  const write = (path: string): Summary => {
    const summary = summarise(run, rounds, missed)
    writeFileSync(path, `${JSON.stringify(summary, null, 2)}\n`)
    return summary
  }
  let missed = 0
  try {
    for (const [at, pair] of scheduleOf(Number(values.rounds), available, random).entries()) {
      for (let attempt = 1; attempt <= tries; attempt++) {
        const number = at + 1 + (attempt - 1) * 10_000
        const round = await playRound({ rig, reader, history }, { number, pair, seed: seed + number })
        say(lineOf(round))
        if (round.isHit || round.violations.length > 0) {
          rounds.push(round)
          write(join(results, 'summary.json'))
          break
        }
        missed += 1
      }
    }
  } finally {
    await reader.close()
    await rig.close()
  }
  const summary = write(join(results, 'summary.json'))
  print(summary)
  return summary.violations.length === 0 && rounds.length > 0 ? 0 : 1
}

function lineOf(round: Round): string {
  const { number, fault, phase, hit, isHit, tasks, runs, recoveryMs, violations, ms } = round
  const struck = isHit
    ? `hit ${phase === 'idle' ? 'an idle fleet' : `${hit} in ${phase}`}`
    : `missed ${phase}`
  const back = recoveryMs === null ? 'no task done after it' : `next done after ${recoveryMs} ms`
  const wrong = violations
    .slice(0, shownViolations)
    .map(({ invariant, what }) => `\n    ${invariant}  ${what}`)
    .join('')
  const slow = round.slowest === null ? '' : `\n    slow: ${round.slowest}`
  return `${String(number).padStart(5)}  ${fault}: ${struck}; ${tasks} tasks, ${runs} runs; ${back}; ${ms} ms${slow}${wrong}`
}

function print(summary: Summary): void {
  const { coverage, recovery, stale } = summary
  say(
    `\n${summary.rounds} rounds, ${summary.tasks} tasks, ${summary.runs} runs; lost ${summary.lost}, doubled ` +
      `${summary.doubled}, unfenced ${summary.unfenced}, stuck ${summary.stuck}, unlocked by hand ` +
      `${summary.unlockedByHand}, all violations ${summary.violations.length}; seed ${summary.seed}`,
  )
  say(`${stale.refused} of ${stale.sent} finishes of older epochs refused`)
  say(
    `covered ${coverage.covered} of ${coverage.pairs} pairs of phase and fault; ${summary.missed} misses repeated`,
  )
  for (const { fault, rounds, p50, p95, max } of recovery) {
    if (rounds > 0)
      say(`  ${fault}: next task done after p50 ${p50} ms, p95 ${p95} ms, max ${max} ms (${rounds})`)
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

process.exit(await main())
