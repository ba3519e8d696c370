import type { Token } from '@muster/contract/identity'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import { newId } from '../kernel/ids.ts'
import { hashSecret, newSecret } from './secrets.ts'
import * as store from './store.ts'

const personTokenDays = 90

/** Tokens of people and workers: made, listed without their secret, revoked. */
export function createTokens({ events, forget }: { events: Events; forget: (credentialId: string) => void }) {
  return {
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
      forget(id)
      await events.publish(tx, actor, { kind: 'token.revoked', data: { tokenId: id, name: row.name } })
    },
  }
}

export function personOf(actor: Actor): string {
  if (actor.kind !== 'person' || actor.id === null)
    throw new MusterError('forbidden', 'Only a person may do this.')
  return actor.id
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
