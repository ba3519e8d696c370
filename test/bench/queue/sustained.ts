import { setTimeout as sleep } from 'node:timers/promises'
import { inParallel, type Engine } from './engine.ts'
import type { Values } from './measure.ts'
import type { Memory } from './memory.ts'
import { slopeOf } from './slope.ts'

// So many wait at most: enough that no worker is ever without one.
const mostWaiting = 1_000

export type Point = Memory & { done: number; perSecond: number }

/**
 * Tasks handed in and worked off at the same time, and what the hub's memory does meanwhile: megabytes more for each ten
 * thousand tasks, by the straight line through the second half of the points, when everything that is kept once is there.
 * Each point is taken after garbage was collected; the time that takes is the measure's and not the hub's.
 */
export async function measureSustained(
  engine: Engine,
  { tasks, every }: { tasks: number; every: number },
): Promise<{ values: Values; points: Point[] }> {
  const { memory } = engine
  if (memory === undefined) throw new Error('only an engine that knows its memory can be measured for long')
  const count = { done: 0, handedIn: 0 }
  const points: Point[] = []
  await engine.work(50, () => (count.done += 1))
  const began = performance.now()
  const feeding = inParallel(20, tasks, async () => {
    count.handedIn += 1
    while (count.handedIn - count.done > mostWaiting) await sleep(5)
    await engine.enqueue()
  })
  let [lastAt, lost] = [began, 0]
  while (count.done < tasks) {
    const before = points.at(-1)?.done ?? 0
    if (count.done >= before + every) {
      const [done, now] = [count.done, performance.now()]
      const perSecond = (done - before) / ((now - lastAt) / 1_000)
      points.push({ done, perSecond, ...(await memory()) })
      lastAt = performance.now()
      lost += lastAt - now
      process.stderr.write(`  ${toldOf(points.at(-1) as Point)}\n`)
    }
    await sleep(20)
  }
  await feeding
  while ((await engine.pending()) > 0) await sleep(5)
  const seconds = (performance.now() - began - lost) / 1_000
  await engine.rest()
  const slope = growthOf(points, 'live')
  return {
    points,
    values: {
      'sustained cycles': tasks / seconds,
      'hub MB resident': points.at(-1)?.resident ?? 0,
      'hub MB in use': points.at(-1)?.live ?? 0,
      // Of too few points nothing is known; and the infinity that says so does not survive JSON.
      ...(Number.isFinite(slope.within)
        ? { 'hub MB more per 10 k': slope.perUnit, '± (95 %)': slope.within }
        : {}),
    },
  }
}

function toldOf({ done, perSecond, live, resident }: Point): string {
  return `${done} tasks, ${perSecond.toFixed(0)}/s, ${live.toFixed(1)} MB in use, ${resident.toFixed(0)} MB resident`
}

/** For each ten thousand tasks, over the second half. */
export function growthOf(points: readonly Point[], what: 'live' | 'resident') {
  const late = points.slice(points.length >> 1)
  return slopeOf(late.map((point) => [point.done / 10_000, point[what]] as const))
}
