import { createHash } from 'node:crypto'
import type { Actor } from './actor.ts'
import type { Tx } from './db.ts'
import { MusterError } from './errors.ts'

const claim = {
  name: 'idempotency_claim',
  text: `insert into idempotency_keys (workspace_id, actor, key, request_hash) values ($1, $2, $3, $4)
         on conflict do nothing returning 1 as claimed`,
}
const stored = {
  name: 'idempotency_stored',
  text: `select request_hash, response from idempotency_keys where workspace_id = $1 and actor = $2 and key = $3`,
}
const remember = {
  name: 'idempotency_remember',
  text: `update idempotency_keys set response = $4 where workspace_id = $1 and actor = $2 and key = $3`,
}

/**
 * Same key and request: same answer and one effect, for any number and interleaving of repeats. A concurrent
 * repeat waits on the key's row until the first commits. Nothing is stored when the verb fails, so a refused
 * request may be corrected and sent again under its key.
 */
export async function once<T>(
  tx: Tx,
  actor: Actor,
  request: { key: string; route: string; body: unknown },
  verb: () => Promise<T>,
): Promise<T> {
  const owner = `${actor.kind}:${actor.id ?? ''}`
  const hash = createHash('sha256')
    .update(JSON.stringify([request.route, request.body]))
    .digest()
  const claimed = await tx.query(claim, [actor.workspaceId, owner, request.key, hash])
  if (claimed.length === 1) {
    const response = await verb()
    await tx.query(remember, [actor.workspaceId, owner, request.key, JSON.stringify(withoutSecret(response))])
    return response
  }
  const [row] = await tx.query<{ request_hash: Buffer; response: T | null }>(stored, [
    actor.workspaceId,
    owner,
    request.key,
  ])
  if (row === undefined || row.response === null || !row.request_hash.equals(hash)) {
    throw new MusterError('idempotency_mismatch', 'This Idempotency-Key was used for another request.')
  }
  if (typeof row.response === 'object' && 'secret' in row.response) {
    throw new MusterError('token_already_shown', 'This request already made a secret, which was shown then.')
  }
  return row.response
}

// The shape of every secret this hub makes, see identity/secrets.ts.
const secretPattern = /muster_[a-z]+_[\w-]{43}/

/** Secrets are kept hashed only, so of an answer that shows one, alone or in a link, only that is remembered. */
function withoutSecret(response: unknown): unknown {
  return secretPattern.test(JSON.stringify(response)) ? { secret: null } : response
}

// Long enough for any client that still repeats a request; a repeat after it is a new request.
const keptFor = `interval '7 days'`

/** Forgets the keys of requests that nobody repeats any more, a bounded number at a time. */
export async function forgetOldKeys(tx: Tx): Promise<void> {
  await tx.query(
    `delete from idempotency_keys where (workspace_id, actor, key) in (
       select workspace_id, actor, key from idempotency_keys where created_at < now() - ${keptFor}
       order by created_at limit 1000)`,
  )
}
