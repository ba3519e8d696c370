import { execFileSync } from 'node:child_process'
import { describeMachine } from '../bench/main-job/report.ts'
import { phases } from './rig/phase-log.ts'
import type { Round } from './round.ts'
import { drainLimitMs, leaseMs } from './settings.ts'

export type Summary = ReturnType<typeof summarise>

/** What a run showed, from its rounds alone. */
export function summarise(
  run: Run & { asked: number; faults: string[]; without: string[]; notify: string },
  rounds: readonly Round[],
  missed: number,
) {
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0)
  const pairs = run.faults.flatMap((fault) => phases.map((phase) => `${fault} × ${phase}`))
  const covered = new Set(
    rounds.filter((round) => round.isHit).map((round) => `${round.fault} × ${round.phase}`),
  )
  const violations = rounds.flatMap((round) =>
    round.violations.map((violation) => ({
      round: round.number,
      fault: round.fault,
      phase: round.phase,
      ...violation,
    })),
  )
  const count = (...names: string[]) => violations.filter((each) => names.includes(each.invariant)).length
  return {
    ...run,
    rounds: rounds.length,
    missed,
    tasks: sum((round) => round.tasks),
    runs: sum((round) => round.runs),
    refusedStale: sum((round) => round.refusedStale),
    stale: { sent: sum((round) => round.stale.sent), refused: sum((round) => round.stale.refused) },
    lost: count('I-1'),
    doubled: count('I-2', 'I-6'),
    unfenced: count('I-3'),
    stuck: count('stuck', 'I-4'),
    // The rig reads the database and never writes to it.
    unlockedByHand: 0,
    violations,
    coverage: {
      pairs: pairs.length,
      covered: covered.size,
      missing: pairs.filter((pair) => !covered.has(pair)),
    },
    recovery: run.faults.map((fault) => {
      const times = rounds.flatMap((round) => (round.fault === fault ? (round.recoveryMs ?? []) : []))
      return { fault, ...spread(times) }
    }),
    noticed: spread(rounds.flatMap((round) => round.loss?.noticedMs ?? [])),
    again: spread(rounds.flatMap((round) => round.loss?.againMs ?? [])),
    leaseMs,
    drainLimitMs,
    roundMs: spread(rounds.map((round) => round.ms)),
  }
}

type Run = Awaited<ReturnType<typeof runOf>>

/** What a reader needs in order to repeat a run and to judge its times. */
export async function runOf(seed: number) {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim()
  return { seed, commit, at: new Date().toISOString(), machine: await describeMachine() }
}

export function spread(times: readonly number[]) {
  const sorted = times.toSorted((a, b) => a - b)
  return { rounds: sorted.length, p50: nth(sorted, 50), p95: nth(sorted, 95), max: sorted.at(-1) ?? null }
}

/** The nearest-rank percentile. */
function nth(sorted: readonly number[], percent: number): number | null {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? null
}
