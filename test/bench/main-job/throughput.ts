import { setTimeout as sleep } from 'node:timers/promises'
import { cpuOf, type Cpu } from './cpu.ts'
import type { Stack } from '../../scenarios/stack.ts'

const atOnce = 10

/** All handed in at once; counted until the last has ended, with its proof made and its branch published. */
export async function measureThroughput(
  stack: Stack,
  count: number,
): Promise<{ perSecond: number; cpu: Cpu }> {
  const pids = await stack.pids()
  const cpuBefore = await cpuOf(pids)
  const before = await ended(stack)
  const began = performance.now()
  const numbers = Array.from({ length: count }, (_, at) => at)
  while (numbers.length > 0) {
    await Promise.all(
      numbers.splice(0, atOnce).map((at) =>
        stack.api('/tasks', {
          method: 'POST',
          body: {
            repo: 'bench',
            title: `Throughput ${at}`,
            run: `echo ${at} > x`,
            checks: [{ kind: 'command_succeeds', target: `grep -q ${at} x` }],
          },
        }),
      ),
    )
  }
  for (;;) {
    const now = await ended(stack)
    if (now.all - before.all === count) {
      if (now.done - before.done !== count)
        throw new Error(`${count - (now.done - before.done)} are not done`)
      const perSecond = count / ((performance.now() - began) / 1_000)
      return { perSecond, cpu: perTask(cpuBefore, await cpuOf(pids), count) }
    }
    await sleep(100)
  }
}

function perTask(before: Cpu, after: Cpu, count: number): Cpu {
  const each = (name: keyof Cpu) => (after[name] - before[name]) / count
  return {
    hub: each('hub'),
    worker: each('worker'),
    gitAndWalls: each('gitAndWalls'),
    database: each('database'),
  }
}

async function ended(stack: Stack): Promise<{ all: number; done: number }> {
  const [row] = await stack.sql<{ all: string; done: string }>(
    `select count(*) filter (where ended_at is not null) as all, count(*) filter (where state = 'done') as done
     from muster.tasks`,
  )
  return { all: Number(row?.all), done: Number(row?.done) }
}
