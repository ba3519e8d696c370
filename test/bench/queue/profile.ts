import { withClient } from '@muster/testkit/databases'
import type { Engine } from './engine.ts'
import { drain, type Sizes } from './measure.ts'

type ProfileRow = { statement: string; calls: number; ms: number; rows: number; walKb: number }
export type Profile = { phase: string; jobs: number; seconds: number; statements: ProfileRow[] }

/** Which statements the database spends its time on, for handing in and for the rest of a task's way. */
export async function profile(engine: Engine, url: string, sizes: Sizes): Promise<Profile[]> {
  await reset(url)
  let began = performance.now()
  await engine.bulk(sizes.jobs)
  const handedIn = { jobs: sizes.jobs, seconds: since(began), statements: await read(url) }
  await reset(url)
  began = performance.now()
  const { done } = await drain(engine, 50, sizes)
  const worked = { jobs: done, seconds: since(began), statements: await read(url) }
  return [
    { phase: 'submit', ...handedIn },
    { phase: 'assign to end', ...worked },
  ]
}

const since = (began: number) => (performance.now() - began) / 1_000

async function reset(url: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query('create extension if not exists pg_stat_statements')
    await client.query('select pg_stat_statements_reset()')
  })
}

async function read(url: string): Promise<ProfileRow[]> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<ProfileRow>(
      `select query as statement, calls::int, total_exec_time as ms, rows::int, (wal_bytes / 1024)::float as "walKb"
       from pg_stat_statements join pg_database d on d.oid = dbid
       where d.datname = current_database() and query not like '%pg_stat_statements%'
       order by total_exec_time desc limit 14`,
    )
    return rows
  })
}
