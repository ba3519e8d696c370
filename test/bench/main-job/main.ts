import { gitRepo } from '@muster/testkit/git-repos'
import { memoryOf } from '../../scenarios/processes-of.ts'
import { startStack, type Stack } from '../../scenarios/stack.ts'
import { measureBareLoop } from './bare-loop.ts'
import { measureLatency } from './latency.ts'
import { describeMachine, p, table } from './report.ts'
import { measureThroughput } from './throughput.ts'

const short = process.argv.includes('--short')
const count = short ? 20 : 100

/**
 * What Muster costs on the way of a trivial task: the time until its command runs behind the wall, tasks per second with
 * proof and published branch, and memory; beside what the same machine needs for a clone and a wall without any of it.
 * Prints, and never fails for being slow: the numbers are for people, who know what else the machine was doing.
 */
async function main(): Promise<void> {
  const repo = await gitRepo({ 'a.txt': 'A\n', 'src/b.txt': 'B\n' })
  const machine = await describeMachine()
  // Before and after, because what else the machine does changes; the better one is the one to be measured against.
  const bareBefore = await measureBareLoop(repo.path, count)
  const stack = await startStack()
  try {
    const added = await stack.muster('repo', 'add', 'bench', repo.path)
    if (added.code !== 0) throw new Error(added.stderr)
    await measureLatency(stack, 3)
    const idle = await memory(stack)
    const latency = await measureLatency(stack, count)
    const throughput = await measureThroughput(stack, count)
    const after = await memory(stack)
    const bareAfter = await measureBareLoop(repo.path, count)
    const bare = p(bareBefore.ms, 50) < p(bareAfter.ms, 50) ? bareBefore : bareAfter
    const overhead = p(latency.startMs, 50) - p(bare.ms, 50)
    process.stdout.write(
      [
        `${machine}, ${count} of each, one after the other unless said otherwise`,
        '',
        table([
          ['', 'p50', 'p99', 'beside bare'],
          ['bare: git clone + bwrap true', ms(p(bare.ms, 50)), ms(p(bare.ms, 99)), ''],
          row('POST sent -> command runs in its wall', latency.startMs, p(bare.ms, 50)),
          row('POST sent -> task done, branch published', latency.doneMs, p(bare.ms, 50)),
          [
            'overhead until the command runs',
            ms(overhead),
            '',
            overhead <= 150 ? 'aim 150 ms: met' : 'aim 150 ms: missed',
          ],
        ]),
        '',
        table([
          ['', 'per second', 'beside bare'],
          ['bare, one at a time', bare.perSecond.toFixed(1), ''],
          [
            `tasks, ${count} queued at once`,
            throughput.perSecond.toFixed(1),
            `${(throughput.perSecond / bare.perSecond).toFixed(2)} x`,
          ],
          ['aim', '5.0', throughput.perSecond >= 5 ? 'met' : 'missed'],
        ]),
        '',
        table([
          ['ms of processor time per task', ''],
          ...Object.entries(throughput.cpu).map(([name, value]) => [name, value.toFixed(0)]),
        ]),
        '',
        table([
          ['MB of memory', 'idle', 'after', 'peak'],
          ...(['up', 'hub', 'worker'] as const).map((name) => [
            name,
            idle[name].nowMb.toFixed(0),
            after[name].nowMb.toFixed(0),
            after[name].peakMb.toFixed(0),
          ]),
        ]),
        '',
        latency.phases,
        '',
      ].join('\n'),
    )
  } finally {
    await stack.stop()
    await repo.remove()
  }
}

async function memory(stack: Stack) {
  const pids = await stack.pids()
  const [up, hub, worker] = await Promise.all([memoryOf(pids.up), memoryOf(pids.hub), memoryOf(pids.worker)])
  return { up, hub, worker }
}

const ms = (value: number) => `${value.toFixed(0)} ms`

function row(name: string, values: number[], bare: number): string[] {
  return [name, ms(p(values, 50)), ms(p(values, 99)), `${(p(values, 50) / bare).toFixed(1)} x`]
}

await main()
