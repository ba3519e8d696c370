import { errorBody, type ErrorBody } from '@muster/contract/errors'
import type { Route } from '@muster/contract/route'
import { routes, type RouteInput, type RouteName, type RouteResponse } from '@muster/contract/routes'

/** A refusal of the hub, or the failure to reach it (`hub_unreachable`). Shape of `body` as on the wire. */
export class ApiError extends Error {
  readonly status: number
  readonly body: ErrorBody
  constructor(status: number, body: ErrorBody) {
    super(body.message)
    this.status = status
    this.body = body
  }
}

type Defined<T> = { [K in keyof T as T[K] extends undefined ? never : K]: T[K] }
export type CallInput<N extends RouteName> = Defined<RouteInput<N>> & {
  idempotencyKey?: string
  signal?: AbortSignal
}

export type Client = {
  /** `http://host:port` without a slash at the end. */
  readonly origin: string
  /** Calls one operation of the contract; answers the parsed body or throws ApiError. */
  call<N extends RouteName>(name: N, input: CallInput<N>): Promise<RouteResponse<N>>
}

export function createClient(options: { origin: string; token?: string }): Client {
  const origin = options.origin.replace(/\/+$/, '')
  return {
    origin,
    async call(name, input) {
      const route: Route = routes[name]
      const parts = input as {
        params?: object
        query?: object
        body?: unknown
        idempotencyKey?: string
        signal?: AbortSignal
      }
      const headers: Record<string, string> = { accept: 'application/json' }
      if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`
      if (route.body !== undefined) headers['content-type'] = 'application/json'
      if (parts.idempotencyKey !== undefined) headers['idempotency-key'] = parts.idempotencyKey
      const response = await send(origin + address(route.path, parts.params, parts.query), {
        method: route.method,
        headers,
        ...(route.body === undefined ? {} : { body: JSON.stringify(parts.body ?? {}) }),
        ...(parts.signal === undefined ? {} : { signal: parts.signal }),
      })
      return route.response.parse(await answer(response)) as RouteResponse<typeof name>
    },
  }
}

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (cause) {
    if (init.signal?.aborted === true) throw cause
    throw new ApiError(0, {
      code: 'hub_unreachable',
      message: `No hub answers at ${new URL(url).origin}.`,
      hint: 'Start it with "npm start", or set MUSTER_HUB to where it runs.',
      docs: 'docs/errors.md#hub_unreachable',
    })
  }
}

async function answer(response: Response): Promise<unknown> {
  const text = await response.text()
  const json: unknown = text === '' ? null : safeJson(text)
  if (response.ok && json !== undefined) return json
  const body = errorBody.safeParse(json)
  if (body.success) throw new ApiError(response.status, body.data)
  throw new ApiError(response.status, {
    code: 'not_a_hub',
    message: `${new URL(response.url).origin} answered ${response.status} with something that is not Muster's.`,
    hint: 'Check MUSTER_HUB: another program may be listening there.',
    docs: 'docs/errors.md#not_a_hub',
  })
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function address(path: string, params: object = {}, query: object = {}): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(String((params as Record<string, unknown>)[name])),
  )
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value))
  return search.size === 0 ? filled : `${filled}?${search}`
}
