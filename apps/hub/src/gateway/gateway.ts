import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Readable, Transform } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { MusterError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { admit, type Admitted, type GatewayDeps } from './admit.ts'
import { gatewayPaths, isRecord, protocols, refusalIn, type GatewayPath } from './protocols.ts'
import { usageReader } from './usage.ts'

// As long as a large answer of a slow model takes; the run's own guards are shorter.
const longestCallMs = 15 * 60_000

export type Gateway = { mount(app: FastifyInstance): void }

/**
 * The way from a run to a model that the hub keeps the key of. A request goes through as it is, in its own wire, and the
 * answer comes back as it comes; in between its tokens are read, and what was reserved before is settled by them.
 */
export function createGateway(deps: GatewayDeps & { log: Log }): Gateway {
  const { db, costs, runs, log } = deps

  async function settle(
    { run, reservation }: Admitted,
    usage: Parameters<typeof costs.settle>[2],
  ): Promise<void> {
    if (reservation === null) return
    await db.inWorkspace(run.workspaceId, async (tx) => {
      const settled = await costs.settle(tx, reservation, usage)
      if (settled !== undefined) await runs.addCost(tx, run.runId, settled.cost)
    })
  }

  async function pass(path: GatewayPath, request: FastifyRequest, reply: FastifyReply) {
    const { body } = request
    if (!isRecord(body)) throw new MusterError('invalid_request', 'The body must be an object.')
    const admitted = await admit(deps, { path, token: tokenOf(request), body })
    const over = new AbortController()
    reply.raw.on('close', () => over.abort())
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(longestCallMs)])
    const answer = await ask(path, admitted, request, signal).catch(async (error: unknown) => {
      // It may have been read before it broke: nobody knows what it cost.
      await settle(admitted, { usage: null, ok: false })
      log.warn({ err: error, endpoint: admitted.run.model.endpoint }, 'a model could not be asked')
      throw new MusterError('model_unavailable', `${admitted.run.model.endpoint} does not answer.`)
    })
    const reader = usageReader(protocols[path].name)
    const decoder = new StringDecoder('utf8')
    let isSettled = false
    const settleOnce = async (ok: boolean) => {
      if (isSettled) return
      isSettled = true
      // What was refused was not worked on.
      const usage = answer.ok ? reader.end() : { ...nothing, estimated: false }
      await settle(admitted, { usage, ok: ok && answer.ok }).catch((error: unknown) =>
        log.error({ err: error }, 'a call could not be settled; it will count with its maximum'),
      )
    }
    const observed = new Transform({
      transform(chunk: Buffer, _, done) {
        reader.push(decoder.write(chunk))
        done(null, chunk)
      },
      // Before the client sees the end, so that what it asks next finds this call settled.
      flush(done) {
        void settleOnce(true).then(() => done())
      },
      destroy(error, done) {
        void settleOnce(false).then(() => done(error))
      },
    })
    const source = answer.body === null ? Readable.from([]) : Readable.fromWeb(answer.body as never)
    source.on('error', (error) => observed.destroy(error))
    const type = answer.headers.get('content-type') ?? 'application/json'
    const after = answer.headers.get('retry-after')
    if (after !== null) void reply.header('retry-after', after)
    return reply
      .code(answer.status)
      .header('content-type', type)
      .header('cache-control', 'no-store')
      .send(source.pipe(observed))
  }

  return {
    mount(app) {
      for (const path of gatewayPaths) {
        app.post(path, {
          errorHandler: (error, request, reply) => {
            const known = error instanceof MusterError ? error : undefined
            if (known === undefined) request.log.error({ err: error }, 'the gateway failed')
            const refusal = known ?? {
              code: 'internal',
              message: 'The gateway failed.',
              status: error.statusCode ?? 500,
            }
            return reply.code(refusal.status).send(refusalIn(path, refusal))
          },
          handler: (request, reply) => pass(path, request, reply),
        })
      }
    },
  }
}

const nothing = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }

function ask(
  path: GatewayPath,
  { upstream, body }: Admitted,
  request: FastifyRequest,
  signal: AbortSignal,
): Promise<Response> {
  const { kind, url, key } = upstream
  // Stored with or without the version, as its owner wrote it.
  const origin = url.replace(/\/+$/, '').replace(/\/v1$/, '')
  const version = request.headers['anthropic-version']
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (key !== null)
    Object.assign(headers, kind === 'anthropic' ? { 'x-api-key': key } : { authorization: `Bearer ${key}` })
  if (kind === 'anthropic')
    headers['anthropic-version'] = typeof version === 'string' ? version : '2023-06-01'
  return fetch(`${origin}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    signal,
    // A key follows no redirect.
    redirect: 'error',
  })
}

function tokenOf(request: FastifyRequest): string | undefined {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const key = request.headers['x-api-key']
  return bearer ?? (typeof key === 'string' ? key : undefined)
}
