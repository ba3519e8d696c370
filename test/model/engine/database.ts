import { Client } from 'pg'
import type { Statement } from '../../../apps/hub/src/kernel/db.ts'
import { hubDatabase, type HubDatabase, type OnFinished } from '../../../apps/hub/test-support/database.ts'

export const workspaces = ['00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000b']

/** Two workers in the first workspace, one in the second. */
export const workers = [
  { name: 'anna', ws: 0, id: '00000000-0000-7000-8000-0000000000a1' },
  { name: 'bert', ws: 0, id: '00000000-0000-7000-8000-0000000000a2' },
  { name: 'carl', ws: 1, id: '00000000-0000-7000-8000-0000000000b1' },
]

/**
 * One database for many programs: `empty` takes away what a program left, `pass` lets time go on. Making a database for each
 * would cost more than the program.
 */
export async function modelDatabase(onFinished: OnFinished) {
  const database = await hubDatabase(onFinished)
  const client = new Client({ connectionString: database.url, options: '-c search_path=muster' })
  await client.connect()
  onFinished(() => client.end())
  /** Prepared: what looks at everything after each operation would be planned thousands of times. */
  const query = async <Row>(statement: Statement, values: unknown[] = []): Promise<Row[]> =>
    (await client.query({ ...statement, values })).rows as Row[]
  const tables = await database.sql<{ name: string; times: string[] }>(
    `select c.relname as name, coalesce(array_agg(a.attname) filter (where a.atttypid = 'timestamptz'::regtype), '{}')::text[] as times
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'muster'::regnamespace and c.relkind = 'r'
     group by c.relname having bool_or(a.attname = 'workspace_id')`,
  )
  await seed(database)
  await database.sql(emptyFunction(tables.map((table) => table.name)))
  await database.sql(passFunction(tables))
  return {
    ...database,
    query,
    empty: () => query({ name: 'empty', text: 'select model_empty()' }),
    /**
     * Time going on by this much, for everything that is stored: what decides is the distance to the database's clock, so
     * moving the stored times back is the same as moving that clock on.
     */
    pass: (ms: number) => query({ name: 'pass', text: 'select model_pass($1)' }, [ms]),
  }
}

export type ModelDatabase = Awaited<ReturnType<typeof modelDatabase>>

async function seed(database: HubDatabase): Promise<void> {
  // Two programs that wait for each other's locks are told so at once and not after a second.
  await database.sql(
    `do $$ begin execute format('alter database %I set deadlock_timeout = 30', current_database()); end $$`,
  )
  for (const id of workspaces) {
    await database.sql(`insert into workspaces (id, name) values ($1::uuid, right($1::text, 1))`, [id])
    await database.sql(`insert into people (workspace_id, id, name) values ($1, $1, 'owner')`, [id])
    await database.sql(
      `insert into repos (workspace_id, id, name, url) values ($1, $1, 'demo', 'file:///demo')`,
      [id],
    )
  }
}

const kept = ['people', 'repos']

function emptyFunction(tables: string[]): string {
  const deletes = tables.filter((name) => !kept.includes(name)).map((name) => `delete from ${name};`)
  const made = workers.map(({ ws, id, name }) => `('${workspaces[ws]}', '${id}', '${name}')`)
  // The order of foreign keys does not matter when everything goes.
  return `create function model_empty() returns void language plpgsql set session_replication_role = replica as $$
    begin ${deletes.join(' ')} insert into workers (workspace_id, id, name) values ${made.join(', ')}; end $$`
}

function passFunction(tables: { name: string; times: string[] }[]): string {
  const updates = tables
    .filter((table) => table.times.length > 0 && !kept.includes(table.name))
    .map(
      ({ name, times }) => `update ${name} set ${times.map((time) => `${time} = ${time} - by_`).join(', ')};`,
    )
  return `create function model_pass(ms float8) returns void language plpgsql set session_replication_role = replica as $$
    declare by_ interval := make_interval(secs => ms / 1000.0); begin ${updates.join(' ')} end $$`
}
