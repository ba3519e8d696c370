import { databaseUrl, quoted, withClient } from './databases.ts'
import { testCluster } from './test-cluster.ts'

// Any number of ours: one lock for all templates, since builds also make roles, which the whole server shares.
const buildLock = 7_483_210_554

// PostgreSQL cuts names after 63 bytes without an error, and the draft's name is longer than the template's.
const longestName = 63 - '_draft'.length

/**
 * Builds a template database once per server, whoever of the parallel workers comes first, and answers its name for
 * `createDatabase({ template })`. The name must carry a hash of what `build` makes (the migrations' content), or a
 * template of an older checkout would be taken for this one. The database gets its name only when it is finished, so a
 * build that crashed cannot be cloned and is repeated.
 */
export async function templateDatabase(name: string, build: (url: string) => Promise<void>): Promise<string> {
  if (Buffer.byteLength(name) > longestName)
    throw new Error(`template name over ${longestName} bytes: ${name}`)
  await withClient(testCluster().url, async (client) => {
    await client.query('select pg_advisory_lock($1)', [buildLock])
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
    if (rowCount === 1) return
    const draft = `${name}_draft`
    await client.query(`drop database if exists ${quoted(draft)} with (force)`)
    await client.query(`create database ${quoted(draft)} template template0`)
    await build(databaseUrl(draft))
    // Without connections: one open session in the template would make every clone fail.
    await client.query(`alter database ${quoted(draft)} with is_template true allow_connections false`)
    await client.query(`alter database ${quoted(draft)} rename to ${quoted(name)}`)
  })
  return name
}
