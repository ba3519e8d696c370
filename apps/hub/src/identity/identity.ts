import type { Me, Token } from '@muster/contract/identity'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import { newId } from '../kernel/ids.ts'
import { createAttempts } from './attempts.ts'
import { hashPassword, hashSecret, newSecret, passwordMatches } from './secrets.ts'
import * as store from './store.ts'

export type Identity = ReturnType<typeof createIdentity>
export type Credential = { bearer?: string | undefined; session?: string | undefined }

const sessionDays = 30
const linkMinutes = 15
const personTokenDays = 90

/** Who may speak: people by session or personal token, workers by their token. Every lookup is by hash. */
export function createIdentity(deps: { db: Db; events: Events; now: () => number }) {
  const { db, events } = deps
  const attempts = createAttempts(deps.now)

  return {
    /** The actor behind a credential, or undefined. A bearer token wins over a cookie. */
    async authenticate(credential: Credential): Promise<Actor | undefined> {
      const secret = credential.bearer ?? credential.session
      if (secret === undefined || secret.length > 256) return undefined
      const hash = hashSecret(secret)
      const isToken = credential.bearer !== undefined
      return db.asSystem(async (tx) => {
        const rows = await tx.query<store.CredentialRow>(isToken ? store.findToken : store.findSession, [
          hash,
        ])
        if (isToken && rows.length > 0) await tx.query(store.touchToken, [hash])
        return rows[0] === undefined ? undefined : toActor(rows[0])
      })
    },

    /** Those of the given credentials that no longer count: revoked, ended or expired. */
    async ended(credentialIds: string[]): Promise<Set<string>> {
      if (credentialIds.length === 0) return new Set()
      const rows = await db.asSystem((tx) =>
        tx.query<{ id: string }>(
          `select id from tokens where id = any($1) and (revoked_at is not null or expires_at <= now())
           union all select id from sessions where id = any($1) and (ended_at is not null or expires_at <= now())`,
          [credentialIds],
        ),
      )
      return new Set(rows.map((row) => row.id))
    },

    async signIn(input: { link?: string | undefined; password?: string | undefined }, address: string) {
      if (!attempts.mayTry(address)) {
        throw new MusterError('too_many_attempts', 'Ten sign-ins from this address failed within 15 minutes.')
      }
      const person =
        input.link === undefined ? await byPassword(db, input.password) : await byLink(db, input.link)
      if (person === undefined) {
        attempts.failed(address)
        throw new MusterError('sign_in_refused', 'This sign-in link or password is not valid.')
      }
      attempts.succeeded(address)
      const secret = newSecret('session')
      const session = {
        id: newId(),
        hash: hashSecret(secret),
        workspaceId: person.workspaceId,
        personId: person.id,
      }
      return db.inWorkspace(person.workspaceId, async (tx) => {
        const expiresAt = await store.startSession(tx, { ...session, days: sessionDays })
        const actor = await personActor(tx, person.workspaceId, person.id, session.id)
        await events.publish(tx, actor, { kind: 'person.signed_in' })
        return { actor, secret, expiresAt }
      })
    },

    async signOut(tx: Tx, actor: Actor): Promise<void> {
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

    async listTokens(tx: Tx): Promise<Token[]> {
      return (await store.listTokens(tx)).map(toToken)
    },

    /** Makes a token; its secret is in the answer and nowhere else. `workerId` makes it that worker's. */
    async issueToken(
      tx: Tx,
      actor: Actor,
      input: { name: string; workerId?: string; expiresInDays?: number | undefined },
    ) {
      const kind = input.workerId === undefined ? ('person' as const) : ('worker' as const)
      const secret = newSecret(kind)
      const row = await store.insertToken(tx, {
        workspaceId: actor.workspaceId,
        id: newId(),
        kind,
        name: input.name,
        hash: hashSecret(secret),
        personId: input.workerId === undefined ? personOf(actor) : null,
        workerId: input.workerId ?? null,
        expiresInDays: input.expiresInDays ?? (kind === 'person' ? personTokenDays : null),
      })
      await events.publish(tx, actor, {
        kind: 'token.created',
        data: { tokenId: row.id, name: row.name, kind },
      })
      return { ...toToken(row), secret }
    },

    async revokeToken(tx: Tx, actor: Actor, id: string): Promise<void> {
      const row = await store.revokeToken(tx, id)
      if (row === undefined) throw new MusterError('not_found', `No token has the id ${id}.`)
      await events.publish(tx, actor, { kind: 'token.revoked', data: { tokenId: id, name: row.name } })
    },
  }
}

async function byLink(db: Db, link: string) {
  const rows = await db.asSystem((tx) =>
    tx.query<{ workspace_id: string; person_id: string }>(store.useLink, [hashSecret(link)]),
  )
  return rows[0] === undefined ? undefined : { workspaceId: rows[0].workspace_id, id: rows[0].person_id }
}

async function byPassword(db: Db, password: string | undefined) {
  const [owner] = await db.asSystem(store.owners)
  const matches = await passwordMatches(password ?? '', owner?.password ?? null)
  return owner === undefined || !matches ? undefined : { workspaceId: owner.workspace_id, id: owner.id }
}

async function personActor(tx: Tx, workspaceId: string, personId: string, sessionId: string): Promise<Actor> {
  const rows = await tx.query<{ name: string }>('select name from people where id = $1', [personId])
  return { kind: 'person', workspaceId, id: personId, label: rows[0]?.name ?? '', credentialId: sessionId }
}

function personOf(actor: Actor): string {
  if (actor.kind !== 'person' || actor.id === null)
    throw new MusterError('forbidden', 'Only a person may do this.')
  return actor.id
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

function toToken(row: store.TokenRow): Token {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    expiresAt: row.expires_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
  }
}
