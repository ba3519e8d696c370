import type { Db } from '../kernel/db.ts'
import { newId } from '../kernel/ids.ts'
import { hashSecret, newSecret } from './secrets.ts'

/**
 * A fresh database gets one workspace with one owner. There is no sign-up and no default password: the only way in
 * is a token that this function made, and it makes one only for whoever runs the hub on this machine.
 */
export async function ensureOwner(db: Db): Promise<{ workspaceId: string; personId: string }> {
  return db.asSystem(async (tx) => {
    // Two hubs may meet an empty database together; the lock makes the second one see the first one's rows.
    await tx.query(`select pg_advisory_xact_lock(4600002)`)
    const [found] = await tx.query<{ workspace_id: string; id: string }>(
      'select workspace_id, id from people order by created_at limit 1',
    )
    if (found !== undefined) return { workspaceId: found.workspace_id, personId: found.id }
    const owner = { workspaceId: newId(), personId: newId() }
    await tx.query('insert into workspaces (id, name) values ($1, $2)', [owner.workspaceId, 'default'])
    await tx.query('insert into people (workspace_id, id, name) values ($1, $2, $3)', [
      owner.workspaceId,
      owner.personId,
      'owner',
    ])
    await tx.query(
      `insert into events (workspace_id, kind, actor, data) values ($1, 'workspace.created', 'muster', '{}')`,
      [owner.workspaceId],
    )
    return owner
  })
}

/**
 * A token for the owner's own commands or for the local worker, replaced at every start that cannot find its file:
 * the secret exists only there.
 */
export async function issueLocalToken(
  db: Db,
  token: { workspaceId: string; name: string; personId: string | null; workerId: string | null },
): Promise<string> {
  const kind = token.personId === null ? 'worker' : 'person'
  const secret = newSecret(kind)
  await db.asSystem((tx) =>
    tx.query(
      `insert into tokens (workspace_id, id, kind, name, hash, person_id, worker_id) values ($1, $2, $3, $4, $5, $6, $7)`,
      [token.workspaceId, newId(), kind, token.name, hashSecret(secret), token.personId, token.workerId],
    ),
  )
  return secret
}
