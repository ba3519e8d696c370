import type { Actor } from '../kernel/actor.ts'
import type { Db } from '../kernel/db.ts'
import type { createRemembered } from './remembered.ts'
import { hashSecret } from './secrets.ts'
import * as store from './store.ts'

export type Credential = { bearer?: string | undefined; session?: string | undefined }

/** Whose a credential is, and whether it still counts. */
export function createCredentials({
  db,
  remembered,
}: {
  db: Db
  remembered: ReturnType<typeof createRemembered>
}) {
  return {
    /** The actor behind a credential, or undefined. A bearer token wins over a cookie. */
    async authenticate(credential: Credential): Promise<Actor | undefined> {
      const secret = credential.bearer ?? credential.session
      if (secret === undefined || secret.length > 256) return undefined
      const hash = hashSecret(secret)
      const isToken = credential.bearer !== undefined
      const find = isToken ? store.findToken : store.findSession
      const [row] = await db.askAsSystem<store.CredentialRow>(find, [hash])
      if (row?.stale === true) await db.askAsSystem(store.touchToken, [hash])
      if (row === undefined) return undefined
      const actor = toActor(row)
      remembered.note(hash, actor)
      return actor
    },

    /** The person whose credential this hub saw confirmed a short time ago; does not ask the database. */
    recall(credential: Credential): Actor | undefined {
      const secret = credential.bearer ?? credential.session
      return secret === undefined ? undefined : remembered.recall(hashSecret(secret))
    },

    /** Those of the given credentials that no longer count: revoked, ended or expired. */
    async ended(open: string[]): Promise<Set<string>> {
      const credentialIds = [...open, ...remembered.credentialIds()]
      if (credentialIds.length === 0) return new Set()
      const rows = await db.asSystem((tx) =>
        tx.query<{ id: string }>(
          `select id from tokens where id = any($1) and (revoked_at is not null or expires_at <= now())
           union all select id from sessions where id = any($1) and (ended_at is not null or expires_at <= now())`,
          [credentialIds],
        ),
      )
      const ended = new Set(rows.map((row) => row.id))
      remembered.forget(ended)
      return ended
    },
  }
}

function toActor(row: store.CredentialRow): Actor {
  return {
    kind: row.kind,
    workspaceId: row.workspace_id,
    id: row.kind === 'person' ? row.person_id : row.worker_id,
    label: row.name,
    credentialId: row.id,
  }
}
