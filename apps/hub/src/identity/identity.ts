import type { Me } from '@muster/contract/identity'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import { hashPassword, hashSecret, newSecret, passwordMatches } from './secrets.ts'
import { createCredentials } from './credentials.ts'
import { createRemembered } from './remembered.ts'
import { createSignIn } from './sign-in.ts'
import * as store from './store.ts'
import { createTokens, personOf } from './tokens.ts'

export type Identity = ReturnType<typeof createIdentity>

const linkMinutes = 15

/** For the loops that do something in each. */
export async function workspaceIds(db: Db): Promise<string[]> {
  return (await db.askAsSystem<{ id: string }>(store.workspaceIds, [])).map((row) => row.id)
}

/** Who may speak: people by session or personal token, workers by their token. Every lookup is by hash. */
export function createIdentity(deps: { db: Db; events: Events; now: () => number }) {
  const { db, events } = deps
  const remembered = createRemembered(deps.now)

  return {
    ...createCredentials({ db, remembered }),

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
