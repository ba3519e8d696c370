import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../architecture/sources.ts'
import type { Summary } from './summary.ts'
import type { HubsSummary } from './two-hubs.ts'

/**
 * Writes docs/chaos-report.md from the newest results of each kind; no figure in it is written by hand. A run counts as
 * full when it had more than one fault, and as many rounds as there are pairs of phase and fault.
 */
const results = join(import.meta.dirname, 'results')

function read<T extends { at: string }>(isWanted: (name: string) => boolean): T[] {
  const found = readdirSync(results)
    .filter(isWanted)
    .flatMap((name) => {
      try {
        return [JSON.parse(readFileSync(join(results, name, 'summary.json'), 'utf8')) as T]
      } catch {
        // A run that was ended before its first round.
        return []
      }
    })
  return found.toSorted((a, b) => b.at.localeCompare(a.at))
}

function page(run: Summary, alone: Summary[], hubs: HubsSummary | undefined): string {
  const { coverage, stale } = run
  const percent = ((100 * coverage.covered) / coverage.pairs).toFixed(1)
  return `# Chaos report

Written by \`node bin/run.mjs test/chaos/report.ts\` from the last full run; no figure here is written by hand. Repeat it
with \`npm run test:chaos -- --rounds ${run.asked} --seed ${run.seed}\`.

Run of ${run.at.slice(0, 16).replace('T', ' ')} UTC at commit ${run.commit}, seed ${run.seed}, on ${run.machine}.
Leases last ${run.leaseMs / 1000} s in the rig; the shipped ones last longer, and what waits for one to end with them.

| | |
|---|---|
| rounds, each with one fault that hit | ${run.rounds} |
| tries that missed and were repeated | ${run.missed} |
| tasks handed in | ${run.tasks} |
| runs of them | ${run.runs} |
| lost (I-1) | ${run.lost} |
| doubled (I-2, I-6) | ${run.doubled} |
| written under an older epoch (I-3) | ${run.unfenced} |
| stuck (I-4, or not ended ${run.drainLimitMs / 1000} s after the fault) | ${run.stuck} |
| unlocked by hand | ${run.unlockedByHand} |
| all violations | ${run.violations.length} |
| finishes of older epochs refused | ${stale.refused} of ${stale.sent} |
| pairs of phase and fault covered | ${coverage.covered} of ${coverage.pairs} (${percent} %) |
| length of a round, p50 and p95 | ${run.roundMs.p50} ms, ${run.roundMs.p95} ms |

${run.without.length === 0 ? 'No fault was left out.' : `Left out: ${run.without.join('; ')}.`}
${coverage.missing.length === 0 ? '' : `Not covered: ${coverage.missing.join('; ')}.\n`}
## Recovery

Milliseconds until the next task was done: from the kill for what was killed or restarted, else from the end of the fault.
A fault of one worker leaves the others at work.

| fault | rounds | p50 | p95 | max |
|---|---|---|---|---|
${run.recovery.map(({ fault, rounds, p50, p95, max }) => `| ${fault} | ${rounds} | ${p50} | ${p95} | ${max} |`).join('\n')}

Runs of a worker that was struck, from the fault until they were known to be lost: p50 ${run.noticed.p50} ms, p95
${run.noticed.p95} ms, max ${run.noticed.max} ms (${run.noticed.rounds} rounds); until they ran again: p50
${run.again.p50} ms, p95 ${run.again.p95} ms, max ${run.again.max} ms.
${run.violations.length === 0 ? '' : `\n## Violations\n\n${run.violations.map((each) => `- round ${each.round}, ${each.fault}, ${each.phase}: ${each.invariant} ${each.what}`).join('\n')}\n`}${alone.length === 0 ? '' : alonePart(alone)}${hubs === undefined ? '' : hubsPart(hubs)}`
}

/** How fast a fault is over depends on what else the machine does, and the full run takes long enough for that to change. */
function alonePart(runs: Summary[]): string {
  const rows = runs.flatMap((run) =>
    run.recovery.map(
      ({ fault, rounds, p50, p95, max }) =>
        `| ${fault} | ${rounds} | ${p50} | ${p95} | ${max} | ${run.seed} | ${/load ([\d.]+)/.exec(run.machine)?.[1] ?? ''} |`,
    ),
  )
  return `
## One fault alone

Runs with \`--only\`, when each began, the load of the machine was as the last column says; violations: ${runs.reduce((sum, run) => sum + run.violations.length, 0)}.

| fault | rounds | p50 | p95 | max | seed | load |
|---|---|---|---|---|---|---|
${rows.join('\n')}
`
}

function hubsPart(run: HubsSummary): string {
  const { p50, p95, max } = run.recovery
  return `
## Two hubs, one killed again and again

Run of ${run.at.slice(0, 16).replace('T', ' ')} UTC at commit ${run.commit}, seed ${run.seed}: ${run.kills} kills of one of two
hubs under load with four workers, ${run.tasks} tasks, ${run.runs} runs, ${run.violations.length} violations. ${run.followers} clients
followed the events live, came back ${run.reconnects.join(', ')} times, and saw ${run.events.join(', ')} events: compared with
the stored ones, one by one. The next task was done after p50 ${p50} ms, p95 ${p95} ms, max ${max} ms.
`
}

const runs = read<Summary>((name) => name.startsWith('seed-'))
const full = runs.find(
  (run) => run.faults.length > 1 && run.rounds >= run.coverage.pairs && run.notify !== 'off',
)
// Of the same engine: older ones say nothing of it.
const alone = runs.filter((run) => run.faults.length === 1 && run.at >= (full?.at ?? ''))
const hubs = read<HubsSummary>((name) => name.startsWith('two-hubs-'))[0]
if (full === undefined) {
  process.stderr.write('There is no full run in test/chaos/results: run npm run test:chaos -- --rounds 300\n')
  process.exit(1)
}
writeFileSync(join(root, 'docs/chaos-report.md'), page(full, alone, hubs))
process.stdout.write('Wrote docs/chaos-report.md.\n')
