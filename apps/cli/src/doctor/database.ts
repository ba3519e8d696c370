import { join } from 'node:path'
import { clusterUrl } from '@muster/postgres/cluster-url'
import { checkDurability } from '@muster/postgres/durability'
import { readPassword } from '@muster/postgres/initialise'
import { ifPresent } from '@muster/postgres/missing-file'
import { livingPostmaster } from '@muster/postgres/postmaster-file'
import { PostgresError } from '@muster/postgres/postgres-error'
import { Client } from 'pg'
import type { Config } from '../config.ts'
import { databaseName, ownerPassword, ownerRole } from '../up/database.ts'
import { findPlaces } from '../up/places.ts'
import { type Check, fail, ok, skip, type Verdict, warn } from './finding.ts'

type Access = { url: string } | { unavailable: string }

export function databaseChecks(config: Config): Check[] {
  const access = ownerAccess(config)
  // Unhandled it would end the process before the checks that await it have been asked.
  access.catch(() => {})
  const check = (id: string, title: string, ask: (client: Client) => Promise<Verdict>): Check => ({
    id,
    title,
    look: async () => {
      const found = await access
      return 'unavailable' in found ? skip(found.unavailable) : withClient(found.url, ask)
    },
  })
  return [
    check('database', 'Database', version),
    check('durability', 'Nothing acknowledged is lost', durability),
    check('roles', 'Roles without power', roles),
    check('row_security', 'Workspaces are apart', rowSecurity),
    check('clock', 'Clocks agree', clock),
  ]
}

async function ownerAccess(config: Config): Promise<Access> {
  if (config.databaseUrl !== null) return { url: config.databaseUrl }
  const places = await ifPresent(findPlaces(config.data))
  const server = places === undefined ? undefined : await livingPostmaster(join(places.database, 'data'))
  if (places === undefined || server === undefined) return { unavailable: 'the database does not run' }
  const password = ownerPassword(await readPassword(places.database))
  return { url: clusterUrl(server, { user: ownerRole, password, database: databaseName }) }
}

async function withClient(url: string, ask: (client: Client) => Promise<Verdict>): Promise<Verdict> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 3_000, query_timeout: 3_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    return await ask(client)
  } finally {
    await client.end()
  }
}

async function version(client: Client): Promise<Verdict> {
  const { rows } = await client.query<{ server_version: string }>('show server_version')
  return ok(`PostgreSQL ${rows[0]?.server_version ?? 'of unknown version'}`)
}

async function durability(client: Client): Promise<Verdict> {
  try {
    await checkDurability(client)
    return ok('fsync, full_page_writes and synchronous_commit are on')
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error
    return fail(error.message, error.hint)
  }
}

async function roles(client: Client): Promise<Verdict> {
  const { rows } = await client.query<{ rolname: string; power: boolean; owned: number }>(
    `select r.rolname, r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb as power,
            (select count(*)::int from pg_class c where c.relowner = r.oid) as owned
     from pg_roles r where r.rolname in ('muster_app', 'muster_system') order by 1`,
  )
  if (rows.length === 0) return skip('the hub has not made them yet')
  const strong = rows.filter((row) => row.power || row.owned > 0).map((row) => row.rolname)
  if (strong.length === 0) return ok(`${rows.map((row) => row.rolname).join(' and ')} own and bypass nothing`)
  const name = strong[0] ?? ''
  return fail(
    `${strong.join(', ')} may do more than log in`,
    `alter role ${name} nosuperuser nobypassrls nocreaterole nocreatedb`,
  )
}

async function rowSecurity(client: Client): Promise<Verdict> {
  const { rows } = await client.query<{ name: string; forced: boolean }>(
    `select c.oid::regclass::text as name, c.relrowsecurity and c.relforcerowsecurity as forced
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where a.attname = 'workspace_id' and not a.attisdropped and c.relkind in ('r', 'p')
       and c.relnamespace not in (select oid from pg_namespace where nspname like 'pg\\_%' or nspname = 'information_schema')`,
  )
  if (rows.length === 0) return skip('the hub has not made its tables yet')
  const open = rows.filter((row) => !row.forced).map((row) => row.name)
  if (open.length === 0) return ok(`forced on all ${rows.length} tables with a workspace`)
  return fail(
    `not forced on ${open.join(', ')}`,
    `alter table ${open[0] ?? ''} enable row level security, force row level security`,
  )
}

/** Leases and deadlines go by the database's clock; people and logs read the machine's. */
async function clock(client: Client): Promise<Verdict> {
  const before = Date.now()
  const { rows } = await client.query<{ ms: string }>(
    'select extract(epoch from clock_timestamp()) * 1000 as ms',
  )
  const offset = Math.round(Number(rows[0]?.ms) - (before + Date.now()) / 2)
  if (Math.abs(offset) < 1_000) return ok(`${offset} ms apart`)
  return warn(`${offset} ms apart`, 'Synchronise both machines, for example: sudo timedatectl set-ntp true')
}
