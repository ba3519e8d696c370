import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { ensureRoles } from './roles.ts'

const folder = join(import.meta.dirname, '../../migrations')
// Any fixed number; one lock for all hubs that start on one database.
const lockKey = 4_600_001

/**
 * Brings the database to the newest schema: every file of `migrations/` once, in order, each in a transaction of
 * its own together with the row that remembers it. Several hubs may start at once; one migrates, the others wait.
 */
export async function migrate(ownerUrl: string): Promise<{ applied: string[] }> {
  const client = new Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [lockKey])
    await assertDurable(client)
    await ensureRoles(ownerUrl)
    await client.query(`create schema if not exists muster`)
    await client.query(`grant usage on schema muster to muster_app, muster_system`)
    await client.query(`set search_path = muster`)
    await client.query(
      `create table if not exists migrations (
         name text primary key, hash text not null, at timestamptz not null default now())`,
    )
    return { applied: await applyMissing(client) }
  } finally {
    await client.end()
  }
}

async function applyMissing(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; hash: string }>('select name, hash from migrations')
  const done = new Map(rows.map((row) => [row.name, row.hash]))
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted()
  const unknown = [...done.keys()].find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new Error(`the database was migrated by another Muster (${unknown}); start that version instead`)
  }
  const applied: string[] = []
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8')
    const hash = createHash('sha256').update(text).digest('hex')
    // Nobody would notice otherwise until a statement meets a column that is not there.
    if (done.has(name) && done.get(name) !== hash) {
      throw new Error(
        `${name} is not the one that this database was made with; start the version that made it`,
      )
    }
    if (done.has(name)) continue
    await client.query('begin')
    await client.query(text)
    await client.query('insert into migrations (name, hash) values ($1, $2)', [name, hash])
    await client.query('commit')
    applied.push(name)
  }
  return applied
}

/** "Acknowledged" means "on the disk": a server that does not flush would make every promise of the queue false. */
async function assertDurable(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings
     where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'server_version_num')`,
  )
  const setting = Object.fromEntries(rows.map((row) => [row.name, row.setting]))
  for (const name of ['fsync', 'full_page_writes', 'synchronous_commit']) {
    if (setting[name] === 'off') {
      throw new Error(`PostgreSQL runs with ${name} = off and would lose acknowledged work; set ${name} = on`)
    }
  }
  if (Number(setting['server_version_num']) < 150_000) {
    throw new Error('PostgreSQL 15 or newer is needed')
  }
}
