import type { Wire } from './exchange.ts'
import { inParts, parsed, shortId } from './openai-wire.ts'
import type { ScriptedCall, Turn, TurnEnd, TurnMessage, TurnRequest, TurnUsage } from './turn.ts'

/** Messages: named events, content in numbered blocks that open and close, and `message_stop`. */
export function createAnthropicWire(model: string): Wire {
  const head = { id: `msg_${shortId()}`, type: 'message', role: 'assistant', model }
  let index = -1
  let open: 'text' | 'thinking' | 'tool_use' | undefined
  const event = (type: string, fields: object = {}) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
  const delta = (fields: object) => event('content_block_delta', { index, delta: fields })
  const close = () => {
    if (open === undefined) return ''
    const signature = open === 'thinking' ? delta({ type: 'signature_delta', signature: 'c2lnbmVk' }) : ''
    open = undefined
    return signature + event('content_block_stop', { index })
  }
  const inBlock = (type: 'text' | 'thinking' | 'tool_use', block: object) => {
    if (open === type && type !== 'tool_use') return ''
    const closed = close()
    index += 1
    open = type
    return closed + event('content_block_start', { index, content_block: { type, ...block } })
  }
  const call = (scripted: ScriptedCall) => {
    const { input: _, type: __, ...block } = callBlock(scripted)
    const json = scripted.rawArgs ?? JSON.stringify(scripted.args ?? {})
    return [
      inBlock('tool_use', { ...block, input: {} }),
      ...inParts(json).map((partial_json) => delta({ type: 'input_json_delta', partial_json })),
    ]
  }
  const started = { ...head, content: [], stop_reason: null, stop_sequence: null }
  return {
    surface: 'anthropic',
    streamType: 'text/event-stream; charset=utf-8',
    start: (usage) =>
      event('message_start', {
        message: { ...started, usage: usageFields({ ...usage, outputTokens: 1 }) },
      }) + event('ping'),
    thinking: (thinking) =>
      inBlock('thinking', { thinking: '', signature: '' }) + delta({ type: 'thinking_delta', thinking }),
    text: (text) => inBlock('text', { text: '' }) + delta({ type: 'text_delta', text }),
    calls: (calls) => calls.flatMap(call),
    end: ({ why, calls, usage }) =>
      close() +
      event('message_delta', {
        delta: { stop_reason: stopReason(why, calls), stop_sequence: null },
        usage: usageFields(usage),
      }) +
      event('message_stop'),
    streamError: (message) => `event: error\ndata: ${anthropicError(529, message)}\n\n`,
    whole: (turn, usage) =>
      JSON.stringify({
        ...head,
        content: blocks(turn),
        stop_reason: stopReason(turn.why ?? 'stop', (turn.calls ?? []).length > 0),
        stop_sequence: null,
        usage: usageFields(usage),
      }),
    error: anthropicError,
  }
}

export function readAnthropicMessages(body: Record<string, unknown>, index: number): TurnRequest {
  const messages = (Array.isArray(body['messages']) ? body['messages'] : []) as AnthropicMessage[]
  const system = textOf(body['system'] as AnthropicContent)
  const read = messages.flatMap(readMessage)
  const names = new Map(read.flatMap(({ calls }) => calls.map(({ id, name }) => [id, name])))
  const tools = (body['tools'] ?? []) as { name: string; input_schema: unknown }[]
  return {
    surface: 'anthropic',
    model: String(body['model']),
    messages: [
      ...(system === '' ? [] : [{ role: 'system' as const, text: system, calls: [] }]),
      ...read.map((message) => {
        const toolName = names.get(message.callId ?? '')
        return toolName === undefined ? message : { ...message, toolName }
      }),
    ],
    tools: tools.map(({ name, input_schema }) => ({ name, parameters: input_schema })),
    round: messages.filter(({ role }) => role === 'assistant').length,
    index,
    body,
  }
}

export type AnthropicMessage = { role: 'user' | 'assistant'; content: AnthropicContent }
export type AnthropicContent = string | AnthropicBlock[] | undefined
export type AnthropicBlock =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown }
  | { type: 'tool_result'; tool_use_id: string; content?: AnthropicContent }

/** A tool's result is a block of a user's message here; it becomes a message of its own. */
function readMessage({ role, content }: AnthropicMessage): TurnMessage[] {
  if (!Array.isArray(content)) return [{ role, text: content ?? '', calls: [] }]
  const results = content.flatMap((block): TurnMessage[] =>
    block.type === 'tool_result'
      ? [{ role: 'tool', text: textOf(block.content), calls: [], callId: block.tool_use_id }]
      : [],
  )
  const text = textOf(content)
  const calls = content.flatMap((block) =>
    block.type === 'tool_use' ? [{ id: block.id, name: block.name, args: block.input }] : [],
  )
  return text === '' && calls.length === 0 ? results : [...results, { role, text, calls }]
}

function textOf(content: AnthropicContent): string {
  if (!Array.isArray(content)) return content ?? ''
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

const errorTypes: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

export function anthropicError(status: number, message: string): string {
  const error = { type: errorTypes[status] ?? 'api_error', message }
  return JSON.stringify({ type: 'error', error, request_id: `req_${shortId()}` })
}

function callBlock({ id, name, args, rawArgs }: ScriptedCall) {
  return {
    type: 'tool_use' as const,
    ...(id === null ? {} : { id: id ?? `toolu_${shortId()}` }),
    ...(name === null ? {} : { name }),
    input: rawArgs === undefined ? (args ?? {}) : parsed(rawArgs),
  }
}

function blocks({ text = '', thinking = '', calls = [] }: Turn) {
  return [
    ...(thinking === '' ? [] : [{ type: 'thinking', thinking, signature: 'c2lnbmVk' }]),
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...calls.map(callBlock),
  ]
}

function stopReason(why: TurnEnd, calls: boolean): string {
  if (why === 'refused') return 'refusal'
  return why === 'length' ? 'max_tokens' : calls ? 'tool_use' : 'end_turn'
}

/** `input_tokens` is what came from no cache here, unlike on the other wires. */
function usageFields(usage: TurnUsage) {
  return {
    input_tokens: usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens,
    cache_creation_input_tokens: usage.cacheWriteTokens,
    cache_read_input_tokens: usage.cacheReadTokens,
    output_tokens: usage.outputTokens,
  }
}
