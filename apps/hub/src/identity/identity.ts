import type { Me } from '@muster/contract/identity'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import { hashPassword, hashSecret, newSecret, passwordMatches } from './secrets.ts'
import { createRemembered } from './remembered.ts'
import { createSignIn } from './sign-in.ts'
import * as store from './store.ts'
import { createTokens, personOf } from './tokens.ts'

export type Identity = ReturnType<typeof createIdentity>
export type Credential = { bearer?: string | undefined; session?: string | undefined }

const linkMinutes = 15

/** Who may speak: people by session or personal token, workers by their token. Every lookup is by hash. */
export function createIdentity(deps: { db: Db; events: Events; now: () => number }) {
  const { db, events } = deps
  const remembered = createRemembered(deps.now)

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

    /** For the loops that do something in each. */
    async workspaceIds(): Promise<string[]> {
      return (await db.askAsSystem<{ id: string }>(store.workspaceIds, [])).map((row) => row.id)
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

    signIn: createSignIn({ db, events, now: deps.now }),

    async signOut(tx: Tx, actor: Actor): Promise<void> {
      remembered.forget(new Set([actor.credentialId ?? '']))
      await tx.query('update sessions set ended_at = coalesce(ended_at, now()) where id = $1', [
        actor.credentialId,
      ])
    },

    async createLink(tx: Tx, actor: Actor) {
      const secret = newSecret('link')
      const link = { workspaceId: actor.workspaceId, hash: hashSecret(secret), personId: personOf(actor) }
      return { secret, expiresAt: await store.insertLink(tx, { ...link, minutes: linkMinutes }) }
    },

    async me(tx: Tx, actor: Actor): Promise<Me> {
      const rows = await tx.query<{ id: string; name: string; has_password: boolean }>(
        `select w.id, w.name, exists (select 1 from people where id = $1 and password is not null) as has_password
         from workspaces w`,
        [actor.id],
      )
      const row = rows[0]
      if (row === undefined) throw new MusterError('not_found', 'This workspace is gone.')
      return {
        actor: actor.label,
        kind: actor.kind === 'worker' ? 'worker' : 'person',
        workspace: { id: row.id, name: row.name },
        hasPassword: row.has_password,
      }
    },

    async setPassword(
      tx: Tx,
      actor: Actor,
      input: { current?: string | undefined; password: string },
    ): Promise<void> {
      const rows = await tx.query<{ password: string | null }>('select password from people where id = $1', [
        actor.id,
      ])
      const stored = rows[0]?.password ?? null
      if (stored !== null && !(await passwordMatches(input.current ?? '', stored))) {
        throw new MusterError('sign_in_refused', 'The current password is not right.')
      }
      await tx.query('update people set password = $2 where id = $1', [
        actor.id,
        await hashPassword(input.password),
      ])
      await events.publish(tx, actor, { kind: 'person.password_set' })
    },

    ...createTokens({ events, forget: (id) => remembered.forget(new Set([id])) }),
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
