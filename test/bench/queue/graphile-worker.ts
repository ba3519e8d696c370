import { Pool } from 'pg'
import { chunks, claimBatch, payload, poolSize, type OpenEngine } from './engine.ts'

/** What is used of it. Its own types are there only when it is installed. */
type Library = {
  Logger: new (make: () => () => void) => unknown
  makeWorkerUtils(options: object): Promise<{
    migrate(): Promise<void>
    addJob(name: string, payload: object): Promise<unknown>
    addJobs(jobs: object[]): Promise<unknown>
    release(): Promise<void>
  }>
  run(options: object): Promise<{ stop(): Promise<void> }>
}

// Not in the import: types and tools would look for what is installed only for this bench.
const name = 'graphile-worker'

/** In its fastest setting: a local queue that claims a batch at once, and completions without a delay of their own. */
export const openGraphileWorker: OpenEngine = async (url) => {
  const library = (await import(name)) as Library
  const logger = new library.Logger(() => () => {})
  const pool = new Pool({ connectionString: url, max: poolSize })
  pool.on('error', () => {})
  pool.on('connect', (client) => void client.on('error', () => {}))
  const jobs = await library.makeWorkerUtils({ pgPool: pool, logger })
  await jobs.migrate()
  let stop = async () => {}
  return {
    async bulk(count) {
      for (const size of chunks(count, 1_000)) {
        await jobs.addJobs(Array.from({ length: size }, () => ({ identifier: 'task', payload })))
      }
    },
    enqueue: async () => void (await jobs.addJob('task', payload)),
    async work(concurrency, onStart) {
      const runner = await library.run({
        connectionString: url,
        concurrency,
        maxPoolSize: poolSize,
        noHandleSignals: true,
        logger,
        pollInterval: 1_000,
        taskList: { task: async () => onStart() },
        preset: {
          worker: { localQueue: { size: claimBatch }, completeJobBatchDelay: 0, failJobBatchDelay: 0 },
        },
      })
      stop = () => runner.stop()
    },
    rest: () => stop(),
    async pending() {
      const rows = await pool.query<{ n: number }>('select count(*)::int as n from graphile_worker.jobs')
      return rows.rows[0]?.n ?? 0
    },
    // It deletes on completion.
    seedHistory: async () => false,
    async close() {
      await jobs.release()
      await pool.end()
    },
  }
}
