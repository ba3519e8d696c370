import type { Sizes } from './measure.ts'
import type { Asked } from './one-measure.ts'
import { cycle, peers, sockets } from './engines.ts'

export type Plan = {
  rounds: number
  sizes: Sizes
  /** History and backlog of these sizes, in the first rounds. */
  rows: { count: number; rounds: number }[]
  /** Tasks in one go, and after how many of them memory is looked at; in the first round. */
  sustained: { engines: string[]; tasks: number; every: number } | undefined
  /** Rates, latencies, lists, profiles: everything whose size is the usual one. */
  usual: boolean
  profiles: boolean
}

type Options = { flag(name: string): boolean; option(name: string): string | undefined }

const short = {
  rounds: 1,
  sizes: { jobs: 200, single: { 1: 50, 10: 200, 50: 300 }, latencies: 10, limitMs: 5_000 },
  rows: [],
  sustained: { engines: [sockets], tasks: 500, every: 100 },
}
const usual = {
  rounds: 5,
  sizes: { jobs: 10_000, single: { 1: 300, 10: 1_500, 50: 3_000 }, latencies: 60, limitMs: 30_000 },
  rows: [{ count: 1_000, rounds: 1 }],
  sustained: { engines: [sockets], tasks: 10_000, every: 500 },
}
const full = {
  ...usual,
  rows: [
    { count: 1_000, rounds: 3 },
    { count: 100_000, rounds: 3 },
    { count: 1_000_000, rounds: 1 },
  ],
  sustained: { engines: [sockets], tasks: 100_000, every: 5_000 },
}

/** Where a run ends is said by its flags: see main.ts. */
export function planOf({ flag, option }: Options): Plan {
  const base = flag('short') ? short : flag('full') ? full : usual
  const rounds = Number(option('rounds') ?? base.rounds)
  const sizes = { ...base.sizes, jobs: Number(option('jobs') ?? base.sizes.jobs) }
  const rows = option('rows')
  if (rows !== undefined) {
    const wanted = rows.split(',').map((count) => ({ count: Number(count), rounds }))
    return { rounds, sizes, rows: wanted, sustained: undefined, usual: false, profiles: false }
  }
  const million = option('million') ?? (flag('million') ? '1000000' : undefined)
  if (million !== undefined) {
    const tasks = Number(million)
    const sustained = { engines: [cycle, sockets], tasks, every: tasks / 20 }
    return { rounds: 1, sizes, rows: [], sustained, usual: false, profiles: false }
  }
  return { ...base, rounds, sizes, usual: true, profiles: !flag('no-profile') }
}

/** What is measured of a queue in a round, each in a process and a database of its own. */
export function measuresOf(plan: Plan, engine: string, round: number): Asked['what'][] {
  const { sustained } = plan
  const whats: Asked['what'][] = plan.usual ? [{ kind: 'rates' }, { kind: 'latency' }] : []
  for (const { count: rows } of plan.rows.filter((each) => round <= each.rounds)) {
    whats.push({ kind: 'history', rows }, { kind: 'backlog', rows })
  }
  if (round === 1 && sustained?.engines.includes(engine)) whats.push({ kind: 'sustained', ...sustained })
  if (plan.usual && engine === cycle) whats.push({ kind: 'row security' })
  return whats
}

/** The queues of a run. */
export function enginesOf(plan: Plan, all: string[], only: string | undefined, without: boolean): string[] {
  const wanted =
    only?.split(',') ?? (plan.usual || plan.rows.length > 0 ? all : (plan.sustained?.engines ?? []))
  return wanted.filter((name) => !without || !peers.includes(name))
}
