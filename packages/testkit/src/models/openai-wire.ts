import { randomUUID } from 'node:crypto'
import type { Wire } from './exchange.ts'
import type { ScriptedCall, TurnEnd, TurnMessage, TurnRequest, TurnUsage } from './turn.ts'

export type OpenAiFlavour = {
  /** What the server calls its thinking: there is no standard. */
  thinkingField?: 'reasoning_content' | 'reasoning'
  /** The client asked for a last chunk that counts. */
  includeUsage?: boolean
  fingerprint?: string
}

/** Chat completions: chunks as server-sent events, arguments as text in parts, and `[DONE]`. */
export function createOpenAiWire(model: string, flavour: OpenAiFlavour = {}): Wire {
  const { thinkingField = 'reasoning_content', includeUsage = false, fingerprint = 'fp_fake' } = flavour
  const head = { id: `chatcmpl-${shortId()}`, created: Math.floor(Date.now() / 1000), model }
  const chunk = (fields: object) =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', system_fingerprint: fingerprint, ...fields })}\n\n`
  const delta = (fields: object, finish_reason: string | null = null) =>
    chunk({ choices: [{ index: 0, delta: fields, logprobs: null, finish_reason }] })
  return {
    surface: 'openai',
    streamType: 'text/event-stream',
    start: () => delta({ role: 'assistant', content: '' }),
    thinking: (text) => delta({ [thinkingField]: text }),
    text: (content) => delta({ content }),
    calls: (calls) => calls.flatMap((call, index) => callPieces(call, index).map((piece) => delta(piece))),
    end: ({ why, calls, usage }) =>
      delta({}, finishReason(why, calls)) +
      (includeUsage ? chunk({ choices: [], usage: usageFields(usage) }) : '') +
      'data: [DONE]\n\n',
    streamError: (message) => `data: ${openAiError(500, message)}\n\n`,
    whole({ text = '', thinking = '', calls = [], why = 'stop' }, usage) {
      const message = {
        role: 'assistant',
        content: text === '' && calls.length > 0 ? null : text,
        ...(thinking === '' ? {} : { [thinkingField]: thinking }),
        ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => callOf(call)) }),
      }
      const choice = { index: 0, message, logprobs: null, finish_reason: finishReason(why, calls.length > 0) }
      return JSON.stringify({
        ...head,
        object: 'chat.completion',
        system_fingerprint: fingerprint,
        choices: [choice],
        usage: usageFields(usage),
      })
    },
    error: openAiError,
  }
}

export function readOpenAiChat(body: Record<string, unknown>, index: number): TurnRequest {
  const messages = (Array.isArray(body['messages']) ? body['messages'] : []) as OpenAiMessage[]
  const tools = (body['tools'] ?? []) as { function?: { name: string; parameters: unknown } }[]
  const names = new Map(
    messages.flatMap(({ tool_calls }) => (tool_calls ?? []).map((call) => [call.id, call.function.name])),
  )
  return {
    surface: 'openai',
    model: String(body['model']),
    messages: messages.map((message) => readMessage(message, names)),
    tools: tools.flatMap((tool) => tool.function ?? []),
    round: messages.filter(({ role }) => role === 'assistant').length,
    index,
    body,
  }
}

export type OpenAiMessage = {
  role: TurnMessage['role'] | 'developer'
  content?: string | null | { type: string; text?: string }[]
  tool_calls?: { id: string; function: { name: string; arguments: string } }[]
  tool_call_id?: string
}

function readMessage(message: OpenAiMessage, names: Map<string, string>): TurnMessage {
  const { role, content, tool_calls = [], tool_call_id } = message
  const text = Array.isArray(content) ? content.map((part) => part.text ?? '').join('') : (content ?? '')
  const toolName = names.get(tool_call_id ?? '')
  return {
    role: role === 'developer' ? 'system' : role,
    text,
    calls: tool_calls.map(({ id, function: { name, arguments: args } }) => ({
      id,
      name,
      args: parsed(args),
    })),
    ...(toolName === undefined ? {} : { toolName }),
    ...(tool_call_id === undefined ? {} : { callId: tool_call_id }),
  }
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export function openAiError(status: number, message: string): string {
  const types: Record<number, string> = {
    400: 'invalid_request_error',
    401: 'invalid_request_error',
    404: 'invalid_request_error',
    413: 'invalid_request_error',
    429: 'rate_limit_error',
    503: 'service_unavailable_error',
  }
  const codes: Record<number, string> = {
    401: 'invalid_api_key',
    404: 'model_not_found',
    429: 'rate_limit_exceeded',
  }
  return JSON.stringify({
    error: { message, type: types[status] ?? 'server_error', param: null, code: codes[status] ?? null },
  })
}

function callOf({ id, name, args, rawArgs }: ScriptedCall) {
  return {
    ...(id === null ? {} : { id: id ?? `call_${shortId()}` }),
    type: 'function',
    function: {
      ...(name === null ? {} : { name }),
      arguments: rawArgs ?? JSON.stringify(args ?? {}),
    },
  }
}

/** Name and id come first, then the arguments in parts that are no JSON by themselves. */
function callPieces(call: ScriptedCall, index: number) {
  const whole = callOf(call)
  const first = { index, ...whole, function: { ...whole.function, arguments: '' } }
  return [
    first,
    ...inParts(whole.function.arguments).map((part) => ({ index, function: { arguments: part } })),
  ].map((piece) => ({ tool_calls: [piece] }))
}

/** At most 100 parts, and none of them splits a character. */
export function inParts(text: string): string[] {
  const size = Math.max(8, Math.ceil(text.length / 100))
  return text.match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? []
}

function finishReason(why: TurnEnd, calls: boolean): string {
  if (why === 'refused') return 'content_filter'
  return why === 'length' ? 'length' : calls ? 'tool_calls' : 'stop'
}

function usageFields({ inputTokens, outputTokens, cacheReadTokens }: TurnUsage) {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cacheReadTokens },
  }
}

export const shortId = () => randomUUID().replaceAll('-', '').slice(0, 24)
