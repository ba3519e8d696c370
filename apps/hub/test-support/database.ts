import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createDatabase, withClient } from '@muster/testkit/databases'
import { templateDatabase } from '@muster/testkit/templates'
import { Client } from 'pg'
import { onTestFinished } from 'vitest'
import { migrate } from '../src/kernel/migrate.ts'
import { ensureRoles } from '../src/kernel/roles.ts'

const migrations = join(import.meta.dirname, '../migrations')

export type HubDatabase = Awaited<ReturnType<typeof hubDatabase>>

/** Called with what must be undone; a test that shares a hub with others gives its own. */
export type OnFinished = (undo: () => Promise<void>) => void
export const atEndOfTest: OnFinished = (undo) => onTestFinished(undo)

/** A migrated database of this test's own, dropped at its end. `sql` speaks as its owner, whom no policy binds. */
export async function hubDatabase(onFinished: OnFinished = atEndOfTest) {
  const template = await templateDatabase(
    `hub_${await fingerprint()}`,
    async (url) => void (await migrate(url)),
  )
  const database = await createDatabase({ template })
  onFinished(database.drop)
  // The roles belong to the whole server; another database's owner may have given them another password.
  await ensureRoles(database.url)
  const owner = new Client({ connectionString: database.url, options: '-c search_path=muster' })
  await owner.connect()
  onFinished(() => owner.end())
  return {
    url: database.url,
    async sql<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
      return (await owner.query(text, values)).rows as Row[]
    },
  }
}

/** A session of its own, for transactions that must stay open or for another role. */
export async function session(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, options: '-c search_path=muster' })
  // The database is dropped with its sessions at the end of the test.
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

/** Rows of every table, to show that a refused request left nothing behind. */
export async function countRows(database: HubDatabase): Promise<Record<string, number>> {
  const tables = await database.sql<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'muster'::regnamespace and relkind = 'r' order by 1`,
  )
  const parts = tables.map(({ name }) => `select '${name}' as name, count(*)::int as n from ${name}`)
  const rows = await database.sql<{ name: string; n: number }>(parts.join(' union all '))
  return Object.fromEntries(rows.map((row) => [row.name, row.n]))
}

/** Every text that is stored anywhere, one string per row, to look for secrets in. */
export async function everyStoredText(url: string): Promise<string> {
  return withClient(url, async (client) => {
    const tables = await client.query<{ name: string }>(
      `select oid::regclass::text as name from pg_class
       where relnamespace = 'muster'::regnamespace and relkind = 'r'`,
    )
    const texts: string[] = []
    for (const { name } of tables.rows) {
      const rows = await client.query<{ line: string }>(`select row_to_json(t)::text as line from ${name} t`)
      texts.push(...rows.rows.map((row) => row.line))
    }
    return texts.join('\n')
  })
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(migrations)).toSorted()) {
    hash.update(name).update(await readFile(join(migrations, name)))
  }
  return hash.digest('hex').slice(0, 24)
}
