import type { Exchange } from './exchange.ts'
import type { Hostile } from './hostile.ts'
import { byHand, everyServer } from './hostile-by-hand.ts'
import { answerWhole } from './play.ts'
import type { Surface } from './turn.ts'

const servers = everyServer
const clouds: Surface[] = ['openai', 'anthropic']
const ollama: Surface[] = ['ollama']

type Headers = Record<string, string>

/** Answers whose status says no. */
export const hostileRefusals: Hostile[] = [
  limited('limits with Retry-After in seconds', 60, () => ({ 'retry-after': '60' })),
  limited('limits with Retry-After as a date', 60, () => ({ 'retry-after': inSeconds(60).toUTCString() })),
  limited('limits with reset headers only', 60, ({ wire }) =>
    wire.surface === 'anthropic'
      ? {
          'anthropic-ratelimit-requests-remaining': '0',
          'anthropic-ratelimit-requests-reset': `${inSeconds(60).toISOString().slice(0, 19)}Z`,
        }
      : { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1m0s' },
  ),
  limited('limits without saying until when', null, () => ({})),
  limited('limits with a Retry-After that is nonsense', null, () => ({ 'retry-after': 'soon' })),
  limited('limits with a Retry-After in the past', null, () => ({ 'retry-after': '-5' })),
  limited('limits for a year', 365 * 24 * 3600, () => ({ 'retry-after': String(365 * 24 * 3600) })),
  {
    ...refusing(
      'has no room in its queue',
      503,
      'server busy, please try again.  maximum pending requests exceeded',
      ['busy'],
    ),
    servers: ollama,
  },
  refusing('is out of service', 503, 'Service Unavailable', ['busy', 'unavailable']),
  refusing('fails inside', 500, 'llama runner process has terminated: exit status 2', ['unavailable']),
  { ...refusing('is overloaded', 529, 'Overloaded', ['busy']), servers: ['anthropic'] },
  { ...refusing('does not know the key', 401, 'invalid x-api-key', ['invalid_request']), servers: clouds },
  { ...refusing('wants a sign-in', 401, 'unauthorized', ['invalid_request']), servers: ollama },
  refusing('forbids', 403, 'Your account may not use this model', ['invalid_request']),
  refusing('does not know the model', 404, "model 'qwen3:8b' not found", ['invalid_request']),
  refusing('finds the prompt too long', 413, 'Prompt is too long', ['invalid_request']),
  refusing('finds the request wrong', 400, 'prompt is too long: 210000 tokens > 200000 maximum', [
    'invalid_request',
  ]),
  {
    name: 'repeats the key in its refusal',
    servers: clouds,
    ends: ['invalid_request'],
    turn: byHand('repeats the key in its refusal', (exchange) => {
      const { headers } = exchange.response.req
      const key = String(headers['x-api-key'] ?? headers.authorization ?? '')
      answerWhole(exchange, 401, exchange.wire.error(401, `Incorrect API key provided: ${key}`))
    }),
  },
  {
    name: 'is a gateway without a server behind it',
    servers,
    ends: ['unavailable'],
    turn: byHand('is a gateway without a server behind it', ({ response }) => {
      response.writeHead(502, { 'content-type': 'text/html' })
      response.end('<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>')
    }),
  },
  {
    name: 'fails with a page of 10 MB',
    servers,
    ends: ['unavailable'],
    turn: byHand('fails with a page of 10 MB', ({ response }) => {
      response.writeHead(500, { 'content-type': 'text/html' })
      response.end('<p>error</p>'.repeat(900_000))
    }),
  },
  {
    name: 'refuses and never ends its reason',
    servers,
    ends: ['unavailable'],
    endedBy: 'silence',
    turn: byHand('refuses and never ends its reason', ({ response }) => {
      response.writeHead(500, { 'content-type': 'application/json' })
      response.write('{"error":"')
    }),
  },
  redirecting('leads elsewhere with 307', 307),
  redirecting('leads elsewhere with 302', 302),
  redirecting('leads elsewhere with 301', 301),
  {
    name: 'leads in a circle',
    servers,
    ends: ['unavailable', 'invalid_request'],
    turn: byHand('leads in a circle', ({ response }) => {
      response.writeHead(307, { location: response.req.url ?? '/' }).end()
    }),
  },
]

function limited(name: string, resetInS: number | null, headers: (exchange: Exchange) => Headers): Hostile {
  return {
    name,
    servers,
    ends: ['quota'],
    resetInS,
    turn: byHand(name, (exchange) => {
      const { response, wire } = exchange
      // A limit that is not reached says when it ends too; here only what is under test may say it.
      for (const each of response.getHeaderNames())
        if (each.includes('ratelimit')) response.removeHeader(each)
      response.writeHead(429, { 'content-type': 'application/json; charset=utf-8', ...headers(exchange) })
      response.end(wire.error(429, 'This request would exceed your rate limit.'))
    }),
  }
}

function refusing(name: string, status: number, message: string, ends: Hostile['ends']): Hostile {
  const turn = byHand(name, (exchange) => answerWhole(exchange, status, exchange.wire.error(status, message)))
  return { name, servers, ends, turn }
}

function redirecting(name: string, status: number): Hostile {
  const turn = byHand(name, ({ response, canaryUrl }) => {
    response.writeHead(status, { location: `${canaryUrl}/stolen` }).end()
  })
  return { name, servers, ends: ['unavailable', 'invalid_request'], turn }
}

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000)
