import { Pool } from 'pg'
import { chunks, claimBatch, payload, poolSize, type OpenEngine } from './engine.ts'

/** What is used of it. Its own types are there only when it is installed. */
type Boss = {
  on(event: 'error', listener: () => void): void
  start(): Promise<unknown>
  stop(options: object): Promise<void>
  createQueue(name: string, options: object): Promise<void>
  send(name: string, data: object): Promise<unknown>
  insert(name: string, jobs: object[]): Promise<unknown>
  work(name: string, options: object, handler: (jobs: unknown[]) => Promise<void>): Promise<string>
  offWork(name: string): Promise<void>
}

// Not in the import: types and tools would look for what is installed only for this bench.
const name = 'pg-boss'
const queue = 'task'

/**
 * In its fastest setting: woken by NOTIFY, fetching again at once while batches are full, two workers of a batch each.
 * Its handlers get a batch whole, so that here the concurrency is the batch whatever is asked for.
 */
export const openPgBoss: OpenEngine = async (url) => {
  const { PgBoss } = (await import(name)) as { PgBoss: new (options: object) => Boss }
  const boss = new PgBoss({ connectionString: url, max: poolSize, useListenNotify: true, schedule: false })
  boss.on('error', () => {})
  await boss.start()
  await boss.createQueue(queue, { notify: true })
  const own = new Pool({ connectionString: url, max: 1 })
  own.on('error', () => {})
  const bulk = async (count: number) => {
    for (const size of chunks(count, 1_000)) {
      const jobs = Array.from({ length: size }, () => ({ data: payload }))
      await boss.insert(queue, jobs)
    }
  }
  return {
    bulk,
    enqueue: async () => void (await boss.send(queue, payload)),
    async work(concurrency, onStart) {
      const options = {
        batchSize: claimBatch,
        localConcurrency: concurrency > 10 ? 4 : 2,
        burstWhenBatchFull: true,
        pollingIntervalSeconds: 0.5,
      }
      await boss.work(queue, options, async (jobs) => jobs.forEach(() => onStart()))
    },
    rest: () => boss.offWork(queue),
    async pending() {
      const { rows } = await own.query<{ n: number }>(
        `select count(*)::int as n from pgboss.job where name = $1 and state < 'completed'`,
        [queue],
      )
      return rows[0]?.n ?? 0
    },
    async seedHistory(count) {
      await bulk(count)
      await own.query(
        `update pgboss.job set state = 'completed', started_on = now(), completed_on = now() where name = $1`,
        [queue],
      )
      await own.query('vacuum full pgboss.job')
      return true
    },
    async close() {
      await own.end()
      await boss.stop({ graceful: false })
    },
  }
}
