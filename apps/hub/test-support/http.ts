import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { errorBody } from '@muster/contract/errors'
import type { Route } from '@muster/contract/route'
import { routes, type RouteName } from '@muster/contract/routes'

export type Sent = {
  method?: string
  path: string
  headers?: Record<string, string>
  /** A string is sent as it is; anything else as JSON. */
  body?: unknown
}
export type Answer = { status: number; headers: IncomingHttpHeaders; text: string; body: unknown }

/** One request exactly as given: `fetch` would not let a test forge Host. */
export function send(url: string, { method = 'GET', path, headers = {}, body }: Sent): Promise<Answer> {
  const { hostname, port } = new URL(url)
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const all: Record<string, string> = { ...headers }
  if (text !== undefined) {
    all['content-type'] ??= 'application/json'
    all['content-length'] = String(Buffer.byteLength(text))
  }
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path, headers: all, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const said = Buffer.concat(chunks).toString()
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: said,
          body: parsed(said),
        })
      })
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(text)
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export type CallOptions = {
  params?: Record<string, string>
  query?: Record<string, string>
  body?: unknown
  token?: string | null
  headers?: Record<string, string>
}

/** The request of one operation of the contract. */
export function requestOf(name: RouteName, token: string | null, options: CallOptions): Sent {
  const route: Route = routes[name]
  const path = route.path.replaceAll(/:(\w+)/g, (_, part: string) => options.params?.[part] ?? '')
  const query = new URLSearchParams(options.query)
  return {
    method: route.method,
    path: query.size === 0 ? path : `${path}?${query}`,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...options.headers },
    ...(route.method === 'POST' ? { body: options.body ?? {} } : {}),
  }
}

/** The code of a refusal; fails the test when the answer has not the one shape of refusals. */
export function refusal(answer: Answer): { status: number; code: string } {
  const { code } = errorBody.strict().parse(answer.body)
  return { status: answer.status, code }
}
