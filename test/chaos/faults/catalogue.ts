import { phases, type Phase } from '../rig/phase-log.ts'
import type { Random } from '../random.ts'
import { databaseFaults } from './database.ts'
import type { Fault } from './fault.ts'
import { allLinkFaults } from './links.ts'
import { partitionFaults } from './partitions.ts'
import { processFaults } from './processes.ts'

export const faults: Fault[] = [...processFaults, ...databaseFaults, ...allLinkFaults, ...partitionFaults]

export type Pair = { fault: Fault; phase: Phase }

/**
 * Which fault hits which phase, in an order that the seed decides: every pair once before any comes twice, and in a
 * short run as many different faults, and as many different phases, as it has rounds.
 */
export function scheduleOf(rounds: number, available: readonly Fault[], random: Random): Pair[] {
  const schedule: Pair[] = []
  let pool: Pair[] = []
  while (schedule.length < rounds) {
    if (pool.length === 0) {
      pool = random.shuffled(available.flatMap((fault) => phases.map((phase) => ({ fault, phase }))))
    }
    const times = (fits: (pair: Pair) => boolean) => schedule.filter(fits).length
    const cost = ({ fault, phase }: Pair) =>
      times((pair) => pair.fault === fault) * 1_000 + times((pair) => pair.phase === phase)
    const next = pool.reduce((best, pair) => (cost(pair) < cost(best) ? pair : best))
    pool = pool.filter((pair) => pair !== next)
    schedule.push(next)
  }
  return schedule
}
