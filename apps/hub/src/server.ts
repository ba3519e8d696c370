import cookie from '@fastify/cookie'
import fastifyStatic from '@fastify/static'
import websocket from '@fastify/websocket'
import type { RouteName } from '@muster/contract/routes'
import { maxMessageBytes } from '@muster/contract/wire'
import { closing } from '@muster/contract/wire-closing'
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { WebSocket } from 'ws'
import { actorOf, mountRoutes } from './http/mount.ts'
import { openApi } from './http/openapi.ts'
import type { Guard } from './http/guard.ts'
import type { Identity } from './identity/identity.ts'
import type { Actor } from './kernel/actor.ts'
import type { Db } from './kernel/db.ts'
import { errorBody, isDatabaseTrouble, MusterError } from './kernel/errors.ts'
import type { Handlers } from './kernel/handler.ts'
import { newId } from './kernel/ids.ts'
import { hearOut } from './http/hear-out.ts'
import type { Log } from './kernel/log.ts'

export type Socket = { path: string; kind: Actor['kind']; serve: (actor: Actor, socket: WebSocket) => void }
export type OpenSockets = Map<WebSocket, Actor>

const bodyLimit = 1024 * 1024
// ws closes with 1009 above this and says nothing. The socket of workers answers what is larger than it takes, so that
// a client learns why, and needs room to read that much.
const maxFrame = 2 * maxMessageBytes

/** The HTTP and WebSocket server. Mounts what it is given and knows no room but identity. */
export async function createServer(deps: {
  db: Db
  identity: Identity
  guard: Guard
  handlers: Handlers<RouteName>
  withoutDatabase: Parameters<typeof mountRoutes>[1]['withoutDatabase']
  admission: Parameters<typeof mountRoutes>[1]['admission']
  sockets: Socket[]
  gateway: { mount(app: FastifyInstance): void }
  open: OpenSockets
  log: Log
  version: string
  webDist: string | null
  /** Throws while nothing can be served; else what is refused, if anything is. */
  ready: () => Promise<{ refuses: string; message: string } | undefined>
}): Promise<FastifyInstance> {
  const app: FastifyInstance = fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    genReqId: newId,
    routerOptions: { maxParamLength: 256 },
    // A half-sent request may not hold a connection for ever.
    requestTimeout: 30_000,
    forceCloseConnections: true,
    // An address that cannot be decoded is refused before any hook or handler is chosen.
    frameworkErrors: (error, request, reply) => {
      const known = toMusterError(error)
      void (reply as FastifyReply).headers(safeHeaders).code(known.status).send(errorBody(known, request.id))
    },
  })
  // Fastify would also hand plain text on.
  app.removeContentTypeParser('text/plain')
  await app.register(cookie)
  await app.register(websocket, { options: { maxPayload: maxFrame } })
  app.addHook('onRequest', async (request, reply) => {
    deps.guard.checkHost(request)
    void reply.headers(safeHeaders)
  })
  app.setErrorHandler(async (error, request, reply) => {
    const known = toMusterError(error as Error)
    if (known.code === 'body_too_large') await hearOut(request.raw)
    if (known.status >= 500) request.log.error({ err: error, requestId: request.id }, 'request failed')
    if (isDatabaseTrouble(known)) void reply.header('retry-after', '2')
    return reply.code(known.status).send(errorBody(known, request.id))
  })
  app.get('/health', async () => ({ ok: true, version: deps.version }))
  app.get('/ready', async () => ({ ok: true, ...(await deps.ready()) }))
  app.get('/api/v1/openapi.json', async () => openApi(deps.version))
  mountRoutes(app, deps)
  deps.gateway.mount(app)
  for (const socket of deps.sockets) mountSocket(app, deps, socket)
  await mountPage(app, deps.webDist)
  return app
}

/** Revocation reaches open sockets: whose credential no longer counts is closed. */
export async function closeEnded(identity: Identity, open: OpenSockets): Promise<void> {
  const ended = await identity.ended([...open.values()].flatMap((actor) => actor.credentialId ?? []))
  for (const [socket, actor] of open) {
    if (ended.has(actor.credentialId ?? '')) socket.close(closing.revoked.code, 'unauthenticated')
  }
}

function mountSocket(
  app: FastifyInstance,
  deps: { identity: Identity; guard: Guard; open: OpenSockets },
  { path, kind, serve }: Socket,
): void {
  const actors = new WeakMap<FastifyRequest, Actor>()
  // Before the upgrade: a refused client gets an HTTP status and no socket.
  const preValidation = async (request: FastifyRequest) => {
    const { actor, byCookie } = await actorOf(deps, request)
    deps.guard.checkOrigin(request, { byCookie, changes: true })
    if (actor === undefined)
      throw new MusterError('unauthenticated', 'No valid token or session came with this socket.')
    if (actor.kind !== kind) throw new MusterError('forbidden', `Only a ${kind} may open this socket.`)
    actors.set(request, actor)
  }
  app.get(path, { websocket: true, preValidation }, (socket, request) => {
    const actor = actors.get(request)
    if (actor === undefined) return socket.close(closing.revoked.code, 'unauthenticated')
    deps.open.set(socket, actor)
    socket.on('close', () => deps.open.delete(socket))
    serve(actor, socket)
  })
}

/** The built page, and its index for every address that is not the API's. */
async function mountPage(app: FastifyInstance, dist: string | null): Promise<void> {
  if (dist !== null) {
    await app.register(fastifyStatic, { root: dist, wildcard: false, cacheControl: false })
  }
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const isPage = request.method === 'GET' && !path.startsWith('/api/') && !/\.\w+$/.test(path)
    if (isPage && dist !== null) return reply.sendFile('index.html')
    throw new MusterError('not_found', `Nothing is at ${request.method} ${path.slice(0, 200)}.`)
  })
}

const safeHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

function toMusterError(error: Error | FastifyError): MusterError {
  if (error instanceof MusterError) return error
  const code = 'code' in error ? error.code : undefined
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new MusterError('body_too_large', `The body is larger than ${bodyLimit} bytes.`)
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new MusterError('unsupported_media_type', 'Only application/json is accepted.')
  }
  if (
    code === 'FST_ERR_CTP_EMPTY_JSON_BODY' ||
    error instanceof SyntaxError ||
    code === 'FST_ERR_CTP_INVALID_JSON_BODY'
  ) {
    return new MusterError('malformed_json', 'The body is not valid JSON.')
  }
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500
  if (status >= 400 && status < 500) return new MusterError('invalid_request', error.message)
  return new MusterError('internal', 'Muster failed in a way it did not foresee.')
}
