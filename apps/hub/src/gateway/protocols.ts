import type { EndpointKind } from '@muster/contract/models'

/** The wires that the gateway speaks, by the path that a client of each asks. */
export const protocols = {
  '/v1/chat/completions': {
    name: 'openai_chat',
    spokenBy: ['openai', 'ollama'],
    answerLimit: 'max_completion_tokens',
  },
  '/v1/responses': {
    name: 'openai_responses',
    spokenBy: ['openai', 'ollama'],
    answerLimit: 'max_output_tokens',
  },
  '/v1/messages': { name: 'anthropic', spokenBy: ['anthropic', 'ollama'], answerLimit: 'max_tokens' },
  '/api/chat': { name: 'ollama', spokenBy: ['ollama'], answerLimit: null },
} as const satisfies Record<
  string,
  { name: string; spokenBy: readonly EndpointKind[]; answerLimit: string | null }
>

export type GatewayPath = keyof typeof protocols
export type Protocol = (typeof protocols)[GatewayPath]['name']
export const gatewayPaths = Object.keys(protocols) as GatewayPath[]

type Json = Record<string, unknown>

// Of an answer for which the client names no limit of its own: what is not bounded cannot be reserved.
const usualAnswerTokens = 8_192
// As dense as text gets; an estimate that is too low would let a budget be overshot.
const charsPerToken = 2.5

/** The longest answer that this request can have, and the request with that limit in it. */
export function bounded(path: GatewayPath, body: Json): { body: Json; outputTokens: number } {
  const { answerLimit } = protocols[path]
  if (answerLimit === null) {
    const options = isRecord(body['options']) ? body['options'] : {}
    const outputTokens = count(options['num_predict']) ?? usualAnswerTokens
    return { body: { ...body, options: { ...options, num_predict: outputTokens } }, outputTokens }
  }
  const said =
    count(body[answerLimit]) ?? (path === '/v1/chat/completions' ? count(body['max_tokens']) : undefined)
  const outputTokens = said ?? usualAnswerTokens
  const limited = said === undefined ? { ...body, [answerLimit]: outputTokens } : body
  // Without this OpenAI's stream says nothing about tokens.
  const counting =
    path === '/v1/chat/completions' && body['stream'] === true
      ? { stream_options: { include_usage: true } }
      : {}
  // Several answers at once would cost several times what is reserved.
  const one = path === '/v1/chat/completions' && body['n'] !== undefined ? { n: 1 } : {}
  return { body: { ...limited, ...counting, ...one }, outputTokens }
}

export function estimatedInput(body: Json): number {
  return Math.ceil(JSON.stringify(body).length / charsPerToken)
}

/** A refusal in the words of the wire, so that its clients read it as they read their own server's. */
export function refusalIn(path: GatewayPath, refusal: { code: string; message: string }): Json {
  const { code, message } = refusal
  switch (protocols[path].name) {
    case 'anthropic':
      return { type: 'error', error: { type: code, message } }
    case 'ollama':
      return { error: `${code}: ${message}` }
    default:
      return { error: { message, type: 'muster_error', param: null, code } }
  }
}

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined
}
