import { PostgresError, type PostgresErrorCode } from './postgres-error.ts'

/** Anything that runs a statement: a client, a pooled client, a pool. */
export interface Queryable {
  query(text: string): Promise<{ rows: unknown[] }>
}

const oldestVersion = 15

const settings: { name: string; code: PostgresErrorCode; cost: string }[] = [
  {
    name: 'fsync',
    code: 'fsync_off',
    cost: 'a power cut can lose acknowledged work or destroy the database',
  },
  {
    name: 'full_page_writes',
    code: 'full_page_writes_off',
    cost: 'a power cut can tear pages beyond repair',
  },
  { name: 'synchronous_commit', code: 'synchronous_commit_off', cost: 'a crash can lose acknowledged work' },
]

/** Refuses a server that would lose acknowledged work, ours or somebody else's. Ask with the role that does the work. */
export async function checkDurability(client: Queryable): Promise<void> {
  const { rows } = await client.query(
    `select name, setting from pg_settings
     where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'server_version_num')`,
  )
  const found = new Map((rows as { name: string; setting: string }[]).map((row) => [row.name, row.setting]))
  const version = Math.floor(Number(found.get('server_version_num')) / 10_000)
  if (!(version >= oldestVersion)) {
    throw new PostgresError(
      'server_too_old',
      `the database server is PostgreSQL ${version}; ${oldestVersion} is the oldest that works`,
      `Use PostgreSQL ${oldestVersion} or newer.`,
    )
  }
  for (const { name, code, cost } of settings) {
    const value = found.get(name)
    if (value !== undefined && value !== 'off') continue
    throw new PostgresError(
      code,
      `the database server runs with ${name} = ${value ?? 'unknown'}: ${cost}`,
      `Set ${name} = on in postgresql.conf, for the database and for the role, then restart the server.`,
    )
  }
}
