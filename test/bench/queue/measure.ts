import { setTimeout as sleep } from 'node:timers/promises'
import { databaseMs, ownMs } from '../main-job/cpu.ts'
import { p } from '../main-job/report.ts'
import { inParallel, type Engine } from './engine.ts'

export type Sizes = {
  jobs: number
  /** Handed in one by one, by so many at once. */
  single: Record<1 | 10 | 50, number>
  latencies: number
  /** Whatever is not done after this long is left; the rate is of what was. */
  limitMs: number
}

export type Values = Record<string, number>

/** Handing in, and claiming with completing; the same numbers for every queue. */
export async function measureRates(engine: Engine, sizes: Sizes, postmaster: number): Promise<Values> {
  const values: Values = {}
  values['bulk'] = await perSecond(sizes.jobs, () => engine.bulk(sizes.jobs))
  const before = await processorTime(engine, postmaster)
  const first = await drain(engine, 10, sizes)
  const after = await processorTime(engine, postmaster)
  values['jobs c=10'] = first.perSecond
  values['queue µs'] = ((after.queue - before.queue) / first.done) * 1_000
  values['database µs'] = ((after.database - before.database) / first.done) * 1_000
  await engine.bulk(Math.max(0, sizes.jobs - (await engine.pending())))
  values['jobs c=50'] = (await drain(engine, 50, sizes)).perSecond
  for (const clients of [1, 10, 50] as const) {
    const count = sizes.single[clients]
    values[`enqueue c=${clients}`] = await perSecond(count, () => inParallel(clients, count, engine.enqueue))
  }
  return values
}

/** From handing in one to the start of its handler, while nothing else is to do; the commit is part of it. */
export async function measureLatency(engine: Engine, { latencies }: Sizes): Promise<Values> {
  const ms: number[] = []
  let started = () => {}
  await engine.work(10, () => started())
  await sleep(1_000)
  // The first ones load code and prepare statements.
  for (let at = -5; at < latencies; at += 1) {
    // Not in step with anybody's polling.
    await sleep(10 + Math.random() * 40)
    const start = new Promise<void>((resolve) => (started = resolve))
    const began = performance.now()
    await engine.enqueue()
    await Promise.race([start, sleep(5_000)])
    if (at >= 0) ms.push(performance.now() - began)
  }
  await engine.rest()
  return { 'idle p50': p(ms, 50), 'idle p99': p(ms, 99) }
}

/** The rate of a few thousand jobs while so many ended ones, or so many waiting ones, are in the tables. */
export async function measureSize(
  engine: Engine,
  sizes: Sizes,
  what: 'history' | 'backlog',
  rows: number,
): Promise<Values> {
  const name = `${what} ${rows}`
  if (what === 'history' && !(await engine.seedHistory(rows))) return {}
  if (what === 'backlog') await (engine.seedBacklog ?? engine.bulk)(rows)
  else await engine.bulk(sizes.jobs)
  const jobs = Math.min(sizes.jobs, what === 'backlog' ? rows : sizes.jobs)
  const { perSecond: rate } = await drain(engine, 10, { ...sizes, jobs })
  const count = sizes.single[10]
  return {
    [`${name}: jobs`]: rate,
    [`${name}: enqueue c=10`]: await perSecond(count, () => inParallel(10, count, engine.enqueue)),
  }
}

/**
 * Completed jobs per second, from the first twentieth (until then connections open and code is compiled) to the moment
 * when the database says that as many are complete.
 */
export async function drain(engine: Engine, concurrency: number, { jobs, limitMs }: Sizes) {
  const leaveAt = (await engine.pending()) - jobs
  const warm = Math.ceil(jobs / 20)
  let started = 0
  let warmAt = 0
  const all = new Promise<void>((resolve) => {
    void engine
      .work(concurrency, () => {
        started += 1
        if (started === warm) warmAt = performance.now()
        if (started >= jobs) resolve()
      })
      .catch(() => resolve())
  })
  const deadline = performance.now() + limitMs
  await Promise.race([all, sleep(limitMs)])
  let left = await engine.pending()
  while (left > leaveAt && performance.now() < deadline) {
    await sleep(3)
    left = await engine.pending()
  }
  const ended = performance.now()
  const done = jobs + leaveAt - left
  await engine.rest()
  if (warmAt === 0) throw new Error(`only ${started} of ${jobs} jobs were started`)
  return { perSecond: (done - warm) / ((ended - warmAt) / 1_000), done }
}

async function perSecond(count: number, work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return count / ((performance.now() - began) / 1_000)
}

async function processorTime(engine: Engine, postmaster: number) {
  const { user, system } = process.cpuUsage()
  const others = await Promise.all((engine.pids ?? []).map(ownMs))
  return {
    queue: (user + system) / 1_000 + others.reduce((sum, each) => sum + each, 0),
    database: await databaseMs(postmaster),
  }
}
