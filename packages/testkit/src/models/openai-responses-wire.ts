import type { Wire } from './exchange.ts'
import { inParts, openAiError, parsed, shortId } from './openai-wire.ts'
import type { ScriptedCall, Turn, TurnEnd, TurnMessage, TurnRequest, TurnUsage } from './turn.ts'

/** The Responses API: named events with a sequence number, and output items that open and close. */
export function createResponsesWire(model: string): Wire {
  const head = {
    id: `resp_${shortId()}`,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    model,
  }
  const output: object[] = []
  const message = { id: `msg_${shortId()}`, text: '', open: false }
  let sequence = 0
  const event = (type: string, fields: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...fields })}\n\n`
  const at = () => ({ item_id: message.id, output_index: output.length, content_index: 0 })
  const openMessage = () => {
    if (message.open) return ''
    message.open = true
    const item = { ...messageItem(message.id, ''), status: 'in_progress', content: [] }
    return (
      event('response.output_item.added', { output_index: output.length, item }) +
      event('response.content_part.added', { ...at(), part: textPart('') })
    )
  }
  const closeMessage = () => {
    if (!message.open) return ''
    message.open = false
    const item = messageItem(message.id, message.text)
    const written =
      event('response.output_text.done', { ...at(), text: message.text }) +
      event('response.content_part.done', { ...at(), part: textPart(message.text) }) +
      event('response.output_item.done', { output_index: output.length, item })
    output.push(item)
    return written
  }
  const call = (scripted: ScriptedCall) => {
    const item = callItem(scripted)
    const place = { item_id: item.id, output_index: output.length }
    const added = { ...item, status: 'in_progress', arguments: '' }
    const events = [
      event('response.output_item.added', { output_index: output.length, item: added }),
      ...inParts(item.arguments).map((delta) =>
        event('response.function_call_arguments.delta', { ...place, delta }),
      ),
      event('response.function_call_arguments.done', { ...place, arguments: item.arguments }),
      event('response.output_item.done', { output_index: output.length, item }),
    ]
    output.push(item)
    return events
  }
  return {
    surface: 'openai',
    streamType: 'text/event-stream',
    start: () => event('response.created', { response: { ...head, status: 'in_progress', output: [] } }),
    thinking: () => '',
    text(delta) {
      const opened = openMessage()
      message.text += delta
      return opened + event('response.output_text.delta', { ...at(), delta })
    },
    calls: (calls) => [closeMessage(), ...calls.flatMap(call)].filter((piece) => piece !== ''),
    end: ({ why, usage }) =>
      closeMessage() +
      event(why === 'length' ? 'response.incomplete' : 'response.completed', {
        response: { ...head, ...ending(why), output, usage: usageFields(usage) },
      }),
    streamError: (text) => event('error', { code: 'server_error', message: text, param: null }),
    whole: (turn, usage) =>
      JSON.stringify({ ...head, ...ending(turn.why), output: items(turn), usage: usageFields(usage) }),
    error: openAiError,
  }
}

export function readResponses(body: Record<string, unknown>, index: number): TurnRequest {
  const input = body['input']
  const items = (Array.isArray(input) ? input : [{ role: 'user', content: input ?? '' }]) as ResponsesItem[]
  const instructions = body['instructions']
  const tools = (body['tools'] ?? []) as { name: string; parameters: unknown }[]
  const messages = items.map(readItem)
  return {
    surface: 'openai',
    model: String(body['model']),
    messages:
      typeof instructions === 'string'
        ? [{ role: 'system', text: instructions, calls: [] }, ...messages]
        : messages,
    tools: tools.filter((tool) => typeof tool.name === 'string'),
    round: messages.filter(({ role }) => role === 'assistant').length,
    index,
    body,
  }
}

type ResponsesItem = {
  type?: string
  role?: TurnMessage['role'] | 'developer'
  content?: string | { text?: string }[]
  call_id?: string
  name?: string
  arguments?: string
  output?: string
}

function readItem(item: ResponsesItem): TurnMessage {
  const callId = item.call_id ?? ''
  if (item.type === 'function_call') {
    const call = { id: callId, name: item.name ?? '', args: parsed(item.arguments ?? '') }
    return { role: 'assistant', text: '', calls: [call] }
  }
  if (item.type === 'function_call_output') {
    return { role: 'tool', text: item.output ?? '', calls: [], callId }
  }
  const { role = 'user', content = '' } = item
  return {
    role: role === 'developer' ? 'system' : role,
    text: Array.isArray(content) ? content.map((part) => part.text ?? '').join('') : content,
    calls: [],
  }
}

const textPart = (text: string) => ({ type: 'output_text', text, annotations: [] })

function messageItem(id: string, text: string) {
  return { id, type: 'message', status: 'completed', role: 'assistant', content: [textPart(text)] }
}

function callItem({ id, name, args, rawArgs }: ScriptedCall) {
  return {
    id: `fc_${shortId()}`,
    type: 'function_call',
    status: 'completed',
    ...(id === null ? {} : { call_id: id ?? `call_${shortId()}` }),
    ...(name === null ? {} : { name }),
    arguments: rawArgs ?? JSON.stringify(args ?? {}),
  }
}

function items({ text = '', calls = [] }: Turn) {
  return [
    ...(text === '' && calls.length > 0 ? [] : [messageItem(`msg_${shortId()}`, text)]),
    ...calls.map(callItem),
  ]
}

function ending(why: TurnEnd = 'stop') {
  return why === 'length'
    ? { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
    : { status: 'completed', incomplete_details: null }
}

function usageFields({ inputTokens, outputTokens, cacheReadTokens }: TurnUsage) {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cacheReadTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  }
}
