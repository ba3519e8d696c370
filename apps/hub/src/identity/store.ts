import type { Tx } from '../kernel/db.ts'

export type CredentialRow = {
  workspace_id: string
  id: string
  kind: 'person' | 'worker'
  person_id: string | null
  worker_id: string | null
  name: string
  /** Its last use is not written down, or longer ago than a minute. */
  stale: boolean
}

// Once a minute at most, so that reading does not write on every request.
const stale = `(last_used_at is null or last_used_at < now() - interval '1 minute')`

/** The living credential with this hash. Read as the system, because the workspace is what it tells. */
export const findToken = {
  name: 'identity_find_token',
  text: `select t.workspace_id, t.id, t.kind, t.person_id, t.worker_id, coalesce(p.name, t.name) as name,
           ${stale} as stale
         from tokens t left join people p on p.workspace_id = t.workspace_id and p.id = t.person_id
         where t.hash = $1 and t.revoked_at is null and (t.expires_at is null or t.expires_at > now())`,
}

export const findSession = {
  name: 'identity_find_session',
  text: `select s.workspace_id, s.id, 'person' as kind, s.person_id, null::uuid as worker_id, p.name, false as stale
         from sessions s join people p on p.workspace_id = s.workspace_id and p.id = s.person_id
         where s.hash = $1 and s.ended_at is null and s.expires_at > now()`,
}

export const touchToken = {
  name: 'identity_touch_token',
  text: `update tokens set last_used_at = now() where hash = $1 and ${stale}`,
}

export const useLink = {
  name: 'identity_use_link',
  text: `update sign_in_links set used_at = now()
         where hash = $1 and used_at is null and expires_at > now() returning workspace_id, person_id`,
}

export const workspaceIds = {
  name: 'identity_workspaces',
  text: 'select id from workspaces order by created_at',
}

export type TokenRow = {
  id: string
  name: string
  kind: 'person' | 'worker'
  created_at: Date
  last_used_at: Date | null
  expires_at: Date | null
  revoked_at: Date | null
}

const tokenColumns = 'id, name, kind, created_at, last_used_at, expires_at, revoked_at'

export function listTokens(tx: Tx): Promise<TokenRow[]> {
  return tx.query<TokenRow>(
    `select ${tokenColumns} from tokens order by revoked_at is not null, created_at desc limit 500`,
  )
}

export async function insertToken(
  tx: Tx,
  token: {
    workspaceId: string
    id: string
    kind: 'person' | 'worker'
    name: string
    hash: Buffer
    personId: string | null
    workerId: string | null
    expiresInDays: number | null
  },
): Promise<TokenRow> {
  const rows = await tx.query<TokenRow>(
    `insert into tokens (workspace_id, id, kind, name, hash, person_id, worker_id, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(days => $8)) returning ${tokenColumns}`,
    [
      token.workspaceId,
      token.id,
      token.kind,
      token.name,
      token.hash,
      token.personId,
      token.workerId,
      token.expiresInDays,
    ],
  )
  return rows[0] as TokenRow
}

export async function revokeToken(tx: Tx, id: string): Promise<{ name: string } | undefined> {
  const rows = await tx.query<{ name: string }>(
    `update tokens set revoked_at = coalesce(revoked_at, now()) where id = $1 returning name`,
    [id],
  )
  return rows[0]
}

/** The person of a workspace whose password is to be checked: in this version there is exactly one. */
export async function owners(
  tx: Tx,
): Promise<{ workspace_id: string; id: string; password: string | null }[]> {
  return tx.query(`select workspace_id, id, password from people order by created_at limit 1`)
}

export async function startSession(
  tx: Tx,
  session: { workspaceId: string; id: string; hash: Buffer; personId: string; days: number },
): Promise<Date> {
  const rows = await tx.query<{ expires_at: Date }>(
    `insert into sessions (workspace_id, id, hash, person_id, expires_at)
     values ($1, $2, $3, $4, now() + make_interval(days => $5)) returning expires_at`,
    [session.workspaceId, session.id, session.hash, session.personId, session.days],
  )
  return rows[0]?.expires_at ?? new Date()
}

export async function insertLink(
  tx: Tx,
  link: { workspaceId: string; hash: Buffer; personId: string; minutes: number },
): Promise<Date> {
  const rows = await tx.query<{ expires_at: Date }>(
    `insert into sign_in_links (workspace_id, hash, person_id, expires_at)
     values ($1, $2, $3, now() + make_interval(mins => $4)) returning expires_at`,
    [link.workspaceId, link.hash, link.personId, link.minutes],
  )
  return rows[0]?.expires_at ?? new Date()
}
