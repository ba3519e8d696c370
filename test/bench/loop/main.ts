import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { describeMachine } from '../main-job/report.ts'
import { kinds, runTask, type Kind } from './loops.ts'
import { memoryOfRuns } from './memory.ts'
import type { Seen } from './model-server.ts'
import { pageOf } from './page.ts'
import { openPlace } from './place.ts'

const root = join(import.meta.dirname, '../../..')
const flag = (name: string) => process.argv.includes(`--${name}`)

/**
 * What our loop costs beside the bare one of the AI SDK, with the same server of models, prompt, tools and answers. It
 * fails when a loop does not end as it should, never for being slow.
 *
 * --short (for the test run), --write (docs/benchmarks-loop.md)
 */
async function main(): Promise<void> {
  const tasks = flag('short') ? 1 : 10
  const machine = await describeMachine()
  // What others do in the meantime is in every number; a reader must know.
  const load = (loadavg()[0] ?? 0) / availableParallelism()
  const place = await openPlace()
  try {
    const seen = Object.fromEntries(kinds.map((kind) => [kind, [] as Seen[]])) as Record<Kind, Seen[]>
    const cpu = Object.fromEntries(kinds.map((kind) => [kind, [] as number[]])) as Record<Kind, number[]>
    // The first of each kind loads what the others find loaded.
    for (const kind of kinds) await runTask(place, kind)
    // In turn, so that what else the machine does falls on all alike.
    for (let at = 0; at < tasks; at += 1) {
      for (const kind of kinds) {
        const before = process.cpuUsage()
        seen[kind].push(await runTask(place, kind))
        const { user, system } = process.cpuUsage(before)
        cpu[kind].push((user + system) / 1_000)
      }
    }
    const memory = await memoryOfRuns(place, flag('short') ? 2 : 20)
    const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
    }).trim()
    const command = `npm run bench:loop${process.argv
      .slice(2)
      .map((each) => ` ${each}`)
      .join('')}`
    const page = pageOf({ machine, load, commit, command, tasks, seen, cpu, memory })
    process.stdout.write(page)
    if (flag('write')) writeFileSync(join(root, 'docs/benchmarks-loop.md'), page)
  } finally {
    await place.close()
  }
}

await main()
