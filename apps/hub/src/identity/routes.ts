import type { Db } from '../kernel/db.ts'
import type { Handlers } from '../kernel/handler.ts'
import type { Identity } from './identity.ts'

type Names = 'signIn' | 'signOut' | 'createSignInLink' | 'me' | 'setPassword' | 'listTokens' | 'revokeToken'

export function identityRoutes(deps: { identity: Identity; origin: () => string; db: Db }): Handlers<Names> {
  const { identity } = deps
  return {
    async signIn({ body, session, address }) {
      const started = await identity.signIn(body, address)
      session.start(started.secret, started.expiresAt)
      return deps.db.inWorkspace(started.actor.workspaceId, (tx) => identity.me(tx, started.actor))
    },
    async signOut({ actor, inTransaction, session }) {
      session.clear()
      return inTransaction(async (tx) => {
        await identity.signOut(tx, actor)
        return { ok: true }
      })
    },
    createSignInLink: ({ actor, inTransaction }) =>
      inTransaction(async (tx) => {
        const link = await identity.createLink(tx, actor)
        // In the fragment, so that it reaches neither a server log nor a Referer header.
        return {
          url: `${deps.origin()}/sign-in#link=${link.secret}`,
          expiresAt: link.expiresAt.toISOString(),
        }
      }),
    me: ({ actor, inTransaction }) => inTransaction((tx) => identity.me(tx, actor)),
    setPassword: ({ actor, body, inTransaction }) =>
      inTransaction(async (tx) => {
        await identity.setPassword(tx, actor, body)
        return { ok: true }
      }),
    listTokens: ({ inTransaction }) =>
      inTransaction(async (tx) => ({ items: await identity.listTokens(tx), nextCursor: null })),
    revokeToken: ({ actor, params, inTransaction }) =>
      inTransaction(async (tx) => {
        await identity.revokeToken(tx, actor, params.id)
        return { ok: true }
      }),
  }
}
