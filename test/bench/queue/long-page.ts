import { table } from '../main-job/report.ts'
import type { Found } from './page.ts'
import { growthOf, type Point } from './sustained.ts'

/** The report of a run that is nothing but long. */
export function longPageOf(found: Found): string {
  return `${[
    '# The hub over many tasks',
    'Written by `npm run bench:queue -- --million --write`. Tasks are handed in and worked off at the same time, with at most\n' +
      '1,000 waiting. "muster whole cycle" has the hub, its workers and those who hand in within one process; "over sockets" is\n' +
      'the hub as it is used, alone in its process.',
    headOf(found),
    ...found.sustained.map(memoryOf),
  ].join('\n\n')}\n`
}

export function headOf({ machine, commit, command, flushes }: Found): string {
  const probes = flushes.map((each) => each.toFixed(0)).join(', ')
  return block(`${machine}\ncommit ${commit}, ${command}\nflushes per second before each round: ${probes}`)
}

/** In use: once garbage is collected. Resident: with what V8 and malloc keep for later. */
export function memoryOf({ engine, points }: { engine: string; points: Point[] }): string {
  const rows = points.map(({ done, perSecond, live, resident }) => [
    String(done),
    perSecond.toFixed(0),
    live.toFixed(1),
    resident.toFixed(0),
  ])
  const grows = (what: 'live' | 'resident') => {
    const { perUnit, within } = growthOf(points, what)
    return `${perUnit.toFixed(3)} ± ${within.toFixed(3)}`
  }
  return [
    `## Memory: ${engine}`,
    block(
      [
        table([['tasks', 'cycles/s', 'MB in use', 'MB resident'], ...rows]),
        '',
        'more for each 10,000 tasks, over the second half, with its 95 % interval:',
        `MB in use ${grows('live')}, MB resident ${grows('resident')}`,
      ].join('\n'),
    ),
  ].join('\n\n')
}

export const block = (text: string) => `\`\`\`text\n${text}\n\`\`\``
