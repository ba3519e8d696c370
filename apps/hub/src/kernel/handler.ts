import type { RouteName, RouteParsed, RouteResponse } from '@muster/contract/routes'
import type { Actor } from './actor.ts'
import type { Tx } from './db.ts'
import type { Keyed } from './idempotency.ts'

/** What a route hands to its handler: everything is parsed, the actor is known. */
export type Request<N extends RouteName> = RouteParsed<N> & {
  actor: Actor
  /**
   * Runs the verb in one transaction of the actor's workspace. With an Idempotency-Key the answer is stored in that
   * same transaction, and a repeated request gets it back without running the verb again.
   */
  inTransaction(verb: (tx: Tx) => Promise<RouteResponse<N>>): Promise<RouteResponse<N>>
  /** For a verb that does the requests of several clients in one transaction: how a repeat of this one is known. */
  keyed(): Keyed | undefined
  session: { start(secret: string, expiresAt: Date): void; clear(): void }
  /** Source address, for limits on failed sign-ins. */
  address: string
}

export type Handler<N extends RouteName> = (request: Request<N>) => Promise<RouteResponse<N>>
export type Handlers<N extends RouteName> = { [K in N]: Handler<K> }
