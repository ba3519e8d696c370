import { Client, Pool } from 'pg'
import { chunks, claimBatch, payload, poolSize, type OpenEngine } from './engine.ts'

const tables = `
  create table job (
    id bigint generated always as identity primary key,
    done boolean not null default false,
    lease_until timestamptz,
    payload jsonb not null
  );
  create index job_ready on job (id) where not done and lease_until is null;`

const claim = `
  with next as (
    select id from job where not done and lease_until is null order by id limit $1 for update skip locked
  )
  update job set lease_until = now() + interval '60 s' from next where job.id = next.id returning job.id`

// NOTIFY in the statement that inserts is what everybody writes first. It makes commits wait for each other, and what
// Muster saves by hints outside the transaction is measured against it.
const insert = `with made as (insert into job (payload) values ($1) returning id)
  select pg_notify('job', '') from made`

/** What is written by hand in an hour: two loops that claim a batch, run it and complete it; one state, no retries. */
export const openBareLoop: OpenEngine = async (url) => {
  const pool = new Pool({ connectionString: url, max: poolSize })
  pool.on('error', () => {})
  await pool.query(tables)
  let stop = async () => {}
  return {
    async bulk(count) {
      for (const size of chunks(count, 1_000)) {
        const jobs = Array.from({ length: size }, () => JSON.stringify(payload))
        await pool.query({
          name: 'bulk',
          text: 'insert into job (payload) select unnest($1::jsonb[])',
          values: [jobs],
        })
      }
      await pool.query(`select pg_notify('job', '')`)
    },
    async enqueue() {
      await pool.query({ name: 'one', text: insert, values: [JSON.stringify(payload)] })
    },
    async work(concurrency, onStart) {
      const listener = new Client({ connectionString: url })
      listener.on('error', () => {})
      await listener.connect()
      const sleepers = new Set<() => void>()
      listener.on('notification', () => sleepers.forEach((wake) => wake()))
      await listener.query('listen job')
      const stopping = new AbortController()
      const loop = async () => {
        while (!stopping.signal.aborted) {
          let woken = false
          const hint = new Promise<void>((resolve) => {
            const wake = () => {
              woken = true
              sleepers.delete(wake)
              resolve()
            }
            sleepers.add(wake)
            setTimeout(wake, 1_000)
          })
          const { rows } = await pool.query({ name: 'claim', text: claim, values: [claimBatch] })
          if (rows.length === 0) {
            if (!woken) await hint
            continue
          }
          for (let at = 0; at < rows.length; at += concurrency) {
            await Promise.all(rows.slice(at, at + concurrency).map(async () => onStart()))
          }
          const ids = rows.map((row: { id: string }) => row.id)
          const text = 'update job set done = true, lease_until = null where id = any($1)'
          await pool.query({ name: 'complete', text, values: [ids] })
        }
      }
      const loops = [loop(), loop()]
      stop = async () => {
        stopping.abort()
        sleepers.forEach((wake) => wake())
        await Promise.all(loops)
        await listener.end()
      }
    },
    rest: () => stop(),
    async pending() {
      const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from job where not done')
      return rows[0]?.n ?? 0
    },
    async seedHistory(count) {
      await pool.query(
        'insert into job (done, payload) select true, $1::jsonb from generate_series(1, $2::int)',
        [JSON.stringify(payload), count],
      )
      return true
    },
    close: () => pool.end(),
  }
}
