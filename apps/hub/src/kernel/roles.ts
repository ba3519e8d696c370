import { createHmac } from 'node:crypto'
import { Client, escapeIdentifier, escapeLiteral } from 'pg'
import { codeOf } from './errors.ts'

/**
 * The two roles the hub works as. Neither owns anything, is a superuser or may bypass row-level security:
 * `muster_app` sees one workspace per transaction, `muster_system` the few tables that loops need across them.
 */
export const hubRoles = ['muster_app', 'muster_system'] as const
export type HubRole = (typeof hubRoles)[number]

/**
 * A role's password follows from the owner's connection string, so that several hubs on one database agree on it
 * without storing or exchanging it.
 */
export function rolePassword(ownerUrl: string, role: HubRole): string {
  const url = new URL(ownerUrl)
  const secret =
    url.password === '' ? `${url.username}@${url.host}${url.pathname}` : decodeURIComponent(url.password)
  return createHmac('sha256', secret).update(`muster role ${role}`).digest('base64url')
}

export function roleUrl(ownerUrl: string, role: HubRole): string {
  const url = new URL(ownerUrl)
  // A user given as a query parameter would win over the one set here.
  url.searchParams.delete('user')
  url.searchParams.delete('password')
  url.username = role
  url.password = rolePassword(ownerUrl, role)
  return url.toString()
}

/**
 * Makes sure both roles exist with the right password and no rights beyond login. Roles belong to the whole
 * server, so another hub or another Muster database may be doing the same: a lost race is tried again.
 */
export async function ensureRoles(ownerUrl: string): Promise<void> {
  const owner = new Client({ connectionString: ownerUrl })
  // Together: a hub that is started again finds both in order, and everybody waits for it.
  const [, ...able] = await Promise.all([
    owner.connect(),
    ...hubRoles.map((role) => canLogIn(ownerUrl, role)),
  ])
  try {
    for (const role of hubRoles.filter((_, at) => able[at] !== true)) {
      for (let attempt = 1; !(await canLogIn(ownerUrl, role)); attempt++) {
        try {
          await setRole(owner, role, rolePassword(ownerUrl, role))
        } catch (error) {
          // 42710 exists already, 23505 and XX000 ("tuple concurrently updated"): somebody else was faster.
          if (!['42710', '23505', 'XX000'].includes(codeOf(error) ?? '') || attempt > 10) throw error
        }
        if (attempt > 20) throw new Error(`cannot log in as ${role}; does pg_hba.conf allow passwords?`)
      }
    }
    await assertPowerless(owner)
  } finally {
    await owner.end()
  }
}

async function canLogIn(ownerUrl: string, role: HubRole): Promise<boolean> {
  const client = new Client({ connectionString: roleUrl(ownerUrl, role), connectionTimeoutMillis: 5_000 })
  // A refused login also closes the socket, which pg reports a second time here.
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch (error) {
    // 28P01 wrong password, 28000 no such role, 42501 may not connect to this database yet.
    if (['28P01', '28000', '42501'].includes(codeOf(error) ?? '')) return false
    throw error
  } finally {
    await client.end()
  }
}

async function setRole(owner: Client, role: HubRole, password: string): Promise<void> {
  const existing = await owner.query('select 1 from pg_roles where rolname = $1', [role])
  const verb = existing.rows.length === 0 ? 'create' : 'alter'
  await owner.query(`${verb} role ${role} login password ${escapeLiteral(password)} nocreatedb nocreaterole`)
  await owner.query(`grant connect on database ${escapeIdentifier(await databaseName(owner))} to ${role}`)
}

async function databaseName(owner: Client): Promise<string> {
  return (await owner.query<{ name: string }>('select current_database() as name')).rows[0]?.name ?? ''
}

async function assertPowerless(owner: Client): Promise<void> {
  const strong = await owner.query<{ rolname: string }>(
    `select rolname from pg_roles
     where rolname = any($1) and (rolsuper or rolbypassrls or rolcreaterole or rolreplication)`,
    [[...hubRoles]],
  )
  if (strong.rows.length > 0) {
    throw new Error(
      `the database role ${strong.rows[0]?.rolname} may bypass row-level security; ` +
        'take SUPERUSER, BYPASSRLS, CREATEROLE and REPLICATION from it',
    )
  }
}
