import { setTimeout as sleep } from 'node:timers/promises'
import { memoryOf } from '../../scenarios/processes-of.ts'
import { inParallel, type Engine } from './engine.ts'
import type { Values } from './measure.ts'

// So many wait at most: enough that no worker is ever without one.
const mostWaiting = 1_000

/**
 * Tasks handed in and worked off at the same time, and what the hub's memory does meanwhile: megabytes more for each ten
 * thousand tasks, by the straight line through the samples of the second half, when everything that is kept once is there.
 */
export async function measureSustained(engine: Engine, tasks: number): Promise<Values> {
  const hub = engine.pids?.[0]
  if (hub === undefined) throw new Error('only an engine in a process of its own can be measured for long')
  const count = { done: 0, handedIn: 0 }
  const samples: { done: number; mb: number }[] = []
  await engine.work(50, () => (count.done += 1))
  const began = performance.now()
  const feeding = inParallel(20, tasks, async () => {
    count.handedIn += 1
    while (count.handedIn - count.done > mostWaiting) await sleep(5)
    await engine.enqueue()
  })
  const every = Math.max(tasks / 20, 250)
  for (let { done } = count; done < tasks; { done } = count) {
    if (done >= (samples.at(-1)?.done ?? 0) + every) {
      samples.push({ done, mb: (await memoryOf(hub)).nowMb })
      process.stderr.write(`  ${done} tasks, ${samples.at(-1)?.mb.toFixed(0)} MB\n`)
    }
    await sleep(20)
  }
  await feeding
  while ((await engine.pending()) > 0) await sleep(5)
  const seconds = (performance.now() - began) / 1_000
  await engine.rest()
  const late = samples.slice(samples.length >> 1)
  return {
    'sustained cycles': tasks / seconds,
    'hub MB at the end': late.at(-1)?.mb ?? 0,
    'hub MB more per 10 k tasks': slopeOf(late.map(({ done, mb }) => [done / 10_000, mb])),
  }
}

/** Least squares. */
function slopeOf(points: [number, number][]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  const under = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  return under === 0 ? 0 : over / under
}
