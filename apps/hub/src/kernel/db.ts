import { Pool } from 'pg'
import { codeOf, isDatabaseDown, MusterError } from './errors.ts'

/** Names make PostgreSQL plan a statement once per connection: 1.9 times the throughput at 20 clients. */
export type Statement = { name: string; text: string }

export type Tx = {
  /**
   * Rows of a statement; `text` alone runs it unprepared. Statements that do not need each other's answers may be asked
   * for together: they go out in one packet and run in the order in which they were asked for.
   */
  query<Row>(statement: Statement | string, values?: unknown[]): Promise<Row[]>
  /** Runs after the commit; never when the transaction fails. */
  afterCommit(work: () => void): void
}

export type Db = {
  /** A transaction that sees and writes one workspace only, by row-level security. */
  inWorkspace<T>(workspaceId: string, work: (tx: Tx) => Promise<T>): Promise<T>
  /** A transaction of the loops that cross workspaces. Has rights on few tables. */
  asSystem<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** One statement as the system, which is a transaction by itself: one round trip instead of three. */
  askAsSystem<Row>(statement: Statement, values: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

// Deadlock and serialization failure: PostgreSQL rolled back and asks to try again.
const retryable = ['40001', '40P01']
const tries = 4
const diskFull = '53100'

/**
 * Each statement of the hub names few rows by an index. What PostgreSQL knows of a table that was just made, or empty when it
 * last looked, says that reading all of it is as good, and it keeps a plan that was made then: 20 times the work for each
 * task, until it counts the table anew. So it reads whole tables, in the order of the disk or of an
 * index, only where nothing else answers.
 */
const planner = '-c enable_seqscan=off -c enable_bitmapscan=off -c enable_mergejoin=off'

export function createDb(options: {
  appUrl: string
  systemUrl: string
  onError: (error: Error) => void
  poolSize?: number
}): Db {
  const open = (connectionString: string, max: number) => {
    const pool = new Pool({
      connectionString,
      max,
      options: `-c search_path=muster ${planner}`,
      // Sends what is asked for without waiting for earlier answers, see Tx.query.
      pipeline: true,
      connectionTimeoutMillis: 5_000,
      statement_timeout: 30_000,
      idle_in_transaction_session_timeout: 30_000,
    })
    // An idle connection that the server closed; the pool replaces it, and without a listener Node would exit.
    pool.on('error', options.onError)
    // A connection that breaks while it is in use also says so here; its query rejects, which is what counts.
    pool.on('connect', (client) => void client.on('error', options.onError))
    return pool
  }
  const app = open(options.appUrl, options.poolSize ?? 16)
  const system = open(options.systemUrl, 4)
  return {
    inWorkspace(workspaceId, work) {
      if (!/^[0-9a-f-]{36}$/.test(workspaceId)) throw new Error('not a workspace id')
      const begin = `begin; set local app.workspace_id = '${workspaceId}'`
      return retried(() => attemptOnce(app, begin, work, { awaitBegin: false }))
    },
    asSystem: (work) => retried(() => attemptOnce(system, 'begin', work, { awaitBegin: true })),
    askAsSystem: (statement, values) =>
      retried(async () => (await system.query({ ...statement, values })).rows),
    async close() {
      await Promise.all([app.end(), system.end()])
    },
  }
}

async function retried<T>(attemptOnce: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptOnce()
    } catch (error) {
      if (retryable.includes(codeOf(error) ?? '') && attempt < tries) continue
      if (codeOf(error) === diskFull) {
        throw new MusterError('database_full', 'The disk of the database is full.')
      }
      if (isDatabaseDown(error)) {
        throw new MusterError('database_unavailable', 'The database does not answer right now.')
      }
      throw error
    }
  }
}

/**
 * The first statement goes out with `begin` and not after its answer. Should `begin` alone fail, that statement runs
 * outside a transaction: harmless without a workspace, as row-level security then shows and takes nothing, and not
 * risked by the system.
 */
async function attemptOnce<T>(
  pool: Pool,
  begin: string,
  work: (tx: Tx) => Promise<T>,
  { awaitBegin }: { awaitBegin: boolean },
): Promise<T> {
  const client = await pool.connect()
  const after: (() => void)[] = []
  const tx: Tx = {
    async query<Row>(statement: Statement | string, values: unknown[] = []) {
      const config = typeof statement === 'string' ? { text: statement, values } : { ...statement, values }
      return (await client.query(config)).rows as Row[]
    },
    afterCommit: (run) => after.push(run),
  }
  let broken: Error | undefined
  const begun = client.query(begin)
  // Looked at below; until then nobody listens, and Node would call it unhandled.
  begun.catch(() => {})
  try {
    if (awaitBegin) await begun
    const result = await work(tx)
    const { command } = await client.query('commit')
    // PostgreSQL answers "commit" with a rollback, and no error, when a failed statement was passed over.
    if (command !== 'COMMIT') throw new Error('A statement of this transaction failed and nobody looked.')
    for (const run of after) run()
    return result
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => (broken = failure))
    await begun
    throw error
  } finally {
    client.release(broken)
  }
}
