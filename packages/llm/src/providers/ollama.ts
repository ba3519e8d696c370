import type { ChatRequest, Message, Tool } from 'ollama'
import type { ModelMessage, ModelRequest } from '../model.ts'
import { BrokenStream } from './faults.ts'
import type { HttpPlace } from './place.ts'
import { errorText, post } from './post.ts'
import { readLines } from './read-lines.ts'
import type { Wire, WirePart } from './wire.ts'

/**
 * `/api/chat` is read here and by no library: the ones there are skip lines that are not JSON, lose the status and
 * `Retry-After` of a refusal, and print what the server said to the console (docs/decisions/0014-own-ollama-wire.md).
 */
export function createOllamaWire(place: HttpPlace): Wire {
  return async function* ollama(request, signal) {
    const response = await post(new URL('api/chat', place.baseUrl), {
      method: 'POST',
      headers: headersOf(place),
      body: JSON.stringify(chatRequest(place, request)),
      signal,
    })
    for await (const line of readLines(response.body)) {
      if (line.trim() !== '') yield* readChunk(line)
    }
  }
}

const headersOf = ({ apiKey, headers }: HttpPlace): Record<string, string> => ({
  'content-type': 'application/json',
  accept: 'application/x-ndjson',
  ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  ...headers,
})

/**
 * `num_ctx` is always said: Ollama's own default is far below what the model can, and it then cuts the beginning of the
 * prompt without a word. `truncate` and `shift` ask newer servers to refuse rather than cut.
 */
export function chatRequest(place: HttpPlace, request: ModelRequest) {
  const options: NonNullable<ChatRequest['options']> = {
    num_ctx: place.contextTokens,
    ...(request.maxOutputTokens !== undefined && { num_predict: request.maxOutputTokens }),
    ...(request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.seed !== undefined && { seed: request.seed }),
  }
  return {
    model: place.name,
    messages: request.messages.map(message),
    ...(request.tools.length > 0 && { tools: request.tools.map(tool) }),
    stream: true,
    ...(request.json && { format: request.json }),
    ...(place.keepAlive !== undefined && { keep_alive: place.keepAlive }),
    truncate: false,
    shift: false,
    options,
  }
}

function message(from: ModelMessage): Message & { tool_call_id?: string } {
  if (from.role === 'tool') {
    return { role: 'tool', content: from.text, tool_name: from.name, tool_call_id: from.callId }
  }
  if (from.role !== 'assistant' || from.calls.length === 0) return { role: from.role, content: from.text }
  const calls = from.calls.map((call) => ({
    id: call.id,
    function: { name: call.name, arguments: call.args },
  }))
  return { role: 'assistant', content: from.text, tool_calls: calls }
}

const tool = (from: ModelRequest['tools'][number]): Tool => ({
  type: 'function',
  function: { name: from.name, description: from.description, parameters: from.parameters },
})

/** One line of the stream. Nothing about its shape is believed. */
function* readChunk(line: string): Generator<WirePart> {
  const chunk = parse(line)
  if ('error' in chunk) throw new BrokenStream(errorText(chunk.error) ?? 'an error without words')
  const said = record(chunk.message) ?? {}
  if (typeof said.thinking === 'string') yield { type: 'thinking', text: said.thinking }
  if (typeof said.content === 'string') yield { type: 'text', text: said.content }
  for (const call of Array.isArray(said.tool_calls) ? said.tool_calls : []) yield* readToolCall(call)
  if (chunk.done !== true) return
  yield {
    type: 'finish',
    why: chunk.done_reason === 'length' ? 'length' : 'stop',
    counts: { ...number('input', chunk.prompt_eval_count), ...number('output', chunk.eval_count) },
  }
}

function parse(line: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new BrokenStream(`sent a line that is not JSON: ${line.slice(0, 100)}`)
  }
  const chunk = record(value)
  if (!chunk) throw new BrokenStream(`sent a line that is no object: ${line.slice(0, 100)}`)
  return chunk
}

function* readToolCall(value: unknown): Generator<WirePart> {
  const call = record(value)
  const made = record(call?.function)
  if (typeof made?.name !== 'string') return
  const id = call?.id
  yield { type: 'call', name: made.name, args: made.arguments, ...(typeof id === 'string' && { id }) }
}

const record = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined

/** Zero is left out on this wire, and an answer to a prompt of no tokens does not exist: it counts as not counted. */
const number = (name: 'input' | 'output', value: unknown) =>
  typeof value === 'number' && value > 0 ? { [name]: value } : {}
