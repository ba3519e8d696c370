import { createHmac } from 'node:crypto'
import { type Cluster, openCluster } from '@muster/postgres/cluster'
import { identify } from '@muster/postgres/process-identity'
import { Client, escapeLiteral } from 'pg'
import { Failure } from '../failure.ts'
import type { Running } from './child.ts'
import type { LogFile } from './log-file.ts'

export const ownerRole = 'muster_owner'
export const databaseName = 'muster'

/** Follows from the cluster's own password, so there is one secret on disk and nothing to keep in step. */
export function ownerPassword(clusterPassword: string): string {
  return createHmac('sha256', clusterPassword).update(ownerRole).digest('base64url')
}

export type Database = Running & { ownerUrl: string; adopted: boolean }

/** Opens the database that comes with Muster, and in it the role and the database that the hub works with. */
export async function openDatabase(directory: string, log: LogFile): Promise<Database> {
  const cluster = await openCluster({
    dir: directory,
    log: (line) => log.write(`${new Date().toISOString()} ${line}\n`),
  })
  const password = ownerPassword(decodeURIComponent(new URL(cluster.superuserUrl).password))
  try {
    await ensureOwner(cluster.superuserUrl, password)
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return asPart(cluster, cluster.urlFor({ user: ownerRole, password, database: databaseName }))
}

async function asPart(cluster: Cluster, ownerUrl: string): Promise<Database> {
  const identity = await identify(cluster.pid)
  if (identity === undefined) {
    await cluster.stop()
    throw new Failure('start_failed', 'The database ended at once.', 'Its log is in the data directory.', 1)
  }
  return {
    identity,
    ownerUrl,
    adopted: cluster.adopted,
    // Its directory has to be given free before it can be opened again.
    ended: cluster.exited.then(async () => {
      await cluster.stop()
      return 'the server is gone'
    }),
    stop: () => cluster.stop(),
    // Its guard ends it in order as soon as we are gone.
    kill: () => {},
  }
}

/** Said again at every start: a crash between two of these statements is healed by the next. */
async function ensureOwner(superuserUrl: string, password: string): Promise<void> {
  const client = new Client({ connectionString: superuserUrl, connectionTimeoutMillis: 30_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    const roles = await client.query('select 1 from pg_roles where rolname = $1', [ownerRole])
    const verb = roles.rowCount === 0 ? 'create' : 'alter'
    await client.query(
      `${verb} role ${ownerRole} with login createrole nosuperuser nobypassrls password ${escapeLiteral(password)}`,
    )
    const databases = await client.query('select 1 from pg_database where datname = $1', [databaseName])
    if (databases.rowCount === 0) await client.query(`create database ${databaseName} owner ${ownerRole}`)
  } finally {
    await client.end()
  }
}
