import type { Route } from '@muster/contract/route'
import { routes, type RouteName } from '@muster/contract/routes'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import { systemActor, type Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Handlers, Request } from '../kernel/handler.ts'
import { once, type Keyed } from '../kernel/idempotency.ts'
import type { Guard } from './guard.ts'
import { orWithoutDatabase } from './without-database.ts'

export const sessionCookie = 'muster_session'

type Deps = {
  db: Db
  identity: Identity
  guard: Guard
  handlers: Handlers<RouteName>
  /** Throws while a verb may not be done, whoever asks. */
  admission: Partial<Record<RouteName, () => void>>
  /** What of a verb must work without the database; answers how many workers it reached. */
  withoutDatabase: Partial<Record<RouteName, (actor: Actor, params: unknown) => number>>
}

/** Mounts every route of the contract. Each request: who asks, may this page ask, is the input right, then the verb. */
export function mountRoutes(app: FastifyInstance, deps: Deps): void {
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    app.route({
      method: route.method,
      url: route.path,
      handler: async (request, reply) => {
        const instead = deps.withoutDatabase[name]
        const verb = () => perform(deps, { name, route, request, reply })
        const response = await (instead === undefined
          ? verb()
          : orWithoutDatabase(verb, () => {
              const actor = recall(deps, request)
              return actor === undefined ? undefined : instead(actor, parse(route, request).params)
            }))
        // Parsed once more: what the contract does not name never leaves.
        return reply
          .code(route.status)
          .header('cache-control', 'no-store')
          .send(route.response.parse(response))
      },
    })
  }
}

type Call = { name: RouteName; route: Route; request: FastifyRequest; reply: FastifyReply }

async function perform(deps: Deps, { name, route, request, reply }: Call): Promise<unknown> {
  const actor = await actorFor(deps, route, request)
  deps.admission[name]?.()
  const parsed = parse(route, request)
  const keyed = () => keyOf(actor, route, request, parsed)
  const handler = deps.handlers[name] as (input: unknown) => Promise<unknown>
  return handler({
    ...parsed,
    actor,
    inTransaction: (verb: (tx: Tx) => Promise<unknown>) => {
      const same = keyed()
      return deps.db.inWorkspace(actor.workspaceId, (tx) =>
        same === undefined ? verb(tx) : once(tx, same, () => verb(tx)),
      )
    },
    keyed,
    session: sessionOf(reply),
    address: request.ip,
  } satisfies Record<keyof Request<RouteName>, unknown>)
}

/** Credentials of a request; a bearer token is preferred, and only then is a cookie looked at. */
function credentialOf(request: FastifyRequest) {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const session = request.cookies[sessionCookie]
  return { credential: { bearer, session }, byCookie: bearer === undefined && session !== undefined }
}

export async function actorOf(deps: Pick<Deps, 'identity'>, request: FastifyRequest) {
  const { credential, byCookie } = credentialOf(request)
  return { actor: await deps.identity.authenticate(credential), byCookie }
}

/** Who asks, from memory. The rules about pages of other sites hold all the same. */
function recall(deps: Pick<Deps, 'identity' | 'guard'>, request: FastifyRequest): Actor | undefined {
  const { credential, byCookie } = credentialOf(request)
  deps.guard.checkOrigin(request, { byCookie, changes: true })
  return deps.identity.recall(credential)
}

async function actorFor(deps: Deps, route: Route, request: FastifyRequest): Promise<Actor> {
  const changes = route.method !== 'GET'
  if (route.who === 'anybody') {
    deps.guard.checkOrigin(request, { byCookie: false, changes })
    return systemActor('')
  }
  const { actor, byCookie } = await actorOf(deps, request)
  deps.guard.checkOrigin(request, { byCookie, changes })
  if (actor === undefined)
    throw new MusterError('unauthenticated', 'No valid token or session came with this request.')
  if (actor.kind !== 'person') throw new MusterError('forbidden', 'A worker token cannot call this.')
  return actor
}

function parse(route: Route, request: FastifyRequest) {
  const check = (part: string, schema: z.ZodType | undefined, value: unknown) => {
    if (schema === undefined) return undefined
    const parsed = schema.safeParse(value)
    if (parsed.success && !isWellFormed(parsed.data)) {
      throw new MusterError('invalid_request', `${part}: holds half of a surrogate pair`)
    }
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    const at = issue === undefined || issue.path.length === 0 ? part : issue.path.join('.')
    throw new MusterError('invalid_request', `${at}: ${issue?.message ?? 'is not valid'}`)
  }
  return {
    params: check('path', route.params, request.params),
    query: check('query', route.query, request.query),
    body: check('body', route.body, request.body ?? {}),
  }
}

/** JSON can write half of a character as an escape; PostgreSQL refuses it in one column and replaces it in another. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  return typeof value !== 'object' || value === null || Object.values(value).every(isWellFormed)
}

/** The Idempotency-Key of a request and what it must stay the same with; undefined when it has none. */
function keyOf(
  actor: Actor,
  route: Route,
  request: FastifyRequest,
  parsed: { params: unknown; body: unknown },
): Keyed | undefined {
  const key = request.headers['idempotency-key']
  if (route.method !== 'POST' || route.secretBody === true || key === undefined) return undefined
  if (typeof key !== 'string' || key.length < 8 || key.length > 128) {
    throw new MusterError('invalid_request', 'Idempotency-Key: must have 8 to 128 characters')
  }
  return { actor, key, route: `${route.method} ${route.path}`, body: [parsed.params, parsed.body] }
}

function sessionOf(reply: FastifyReply): Request<RouteName>['session'] {
  // Not "Secure": the hub speaks http on loopback only, and Safari would drop such a cookie there.
  const options = { path: '/', httpOnly: true, sameSite: 'strict' as const }
  return {
    start: (secret, expires) => void reply.setCookie(sessionCookie, secret, { ...options, expires }),
    clear: () => void reply.clearCookie(sessionCookie, options),
  }
}
