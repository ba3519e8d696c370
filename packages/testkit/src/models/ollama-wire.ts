import { randomBytes } from 'node:crypto'
import type { Wire } from './exchange.ts'
import type { ScriptedCall, TurnEnd, TurnMessage, TurnRequest, TurnUsage } from './turn.ts'

/** Ollama's own stream: one object per line, calls whole, and counters on the last line only. */
export function createOllamaWire(model: string, path: 'chat' | 'generate' = 'chat'): Wire {
  const line = (fields: object) => `${JSON.stringify({ model, created_at: goTime(new Date()), ...fields })}\n`
  const said = (message: OllamaAnswer) =>
    path === 'chat' ? { message: { role: 'assistant', ...message } } : generated(message)
  const delta = (message: OllamaAnswer) => line({ ...said(message), done: false })
  const last = (message: Partial<OllamaAnswer>, why: TurnEnd, usage: TurnUsage) =>
    line({
      ...said({ content: '', ...message }),
      done: true,
      ...(path === 'generate' ? { context: [1, 2, 3] } : {}),
      ...omitEmpty({ done_reason: why === 'refused' ? 'stop' : why, ...counters(usage) }),
    })
  return {
    surface: 'ollama',
    streamType: 'application/x-ndjson',
    start: () => '',
    thinking: (thinking) => delta({ content: '', thinking }),
    text: (content) => delta({ content }),
    calls: (calls) =>
      calls.map((call, index) => patch(delta({ content: '', tool_calls: [callOf(call, index)] }), [call])),
    // There is no reason `tool_calls` here: an answer with calls says `stop` too.
    end: ({ why, usage }) => last({}, why, usage),
    streamError: (error) => `${JSON.stringify({ error })}\n`,
    whole({ text = '', thinking = '', calls = [], why = 'stop' }, usage) {
      const tool_calls = calls.map(callOf)
      const message = {
        content: text,
        ...omitEmpty({ thinking }),
        ...(calls.length > 0 ? { tool_calls } : {}),
      }
      return patch(last(message, why, usage).trimEnd(), calls)
    },
    error: (_, error) => JSON.stringify({ error }),
  }
}

export function readOllamaChat(body: Record<string, unknown>, index: number): TurnRequest {
  const messages = (body['messages'] ?? []) as OllamaMessage[]
  const tools = (body['tools'] ?? []) as { function?: { name: string; parameters: unknown } }[]
  return {
    surface: 'ollama',
    model: String(body['model']),
    messages: messages.map(readMessage),
    tools: tools.flatMap((tool) => tool.function ?? []),
    round: messages.filter(({ role }) => role === 'assistant').length,
    index,
    body,
  }
}

type OllamaAnswer = { content: string; thinking?: string; tool_calls?: object[] }

/** `/api/generate` has its text beside the other fields, and knows no calls. */
function generated({ content, thinking }: OllamaAnswer) {
  return { response: content, ...(thinking === undefined ? {} : { thinking }) }
}

type OllamaMessage = {
  role: TurnMessage['role']
  content?: string
  tool_calls?: { id?: string; function: { name: string; arguments: unknown } }[]
  tool_name?: string
  tool_call_id?: string
}

function readMessage(message: OllamaMessage): TurnMessage {
  const { role, content = '', tool_calls = [], tool_name, tool_call_id } = message
  return {
    role,
    text: content,
    calls: tool_calls.map((call) => ({
      id: call.id ?? '',
      name: call.function.name,
      args: call.function.arguments,
    })),
    ...(tool_name === undefined ? {} : { toolName: tool_name }),
    ...(tool_call_id === undefined ? {} : { callId: tool_call_id }),
  }
}

const rawMark = 'raw-arguments-of-call'

/** `arguments` is an object here, never a string. */
function callOf(call: ScriptedCall, index: number) {
  const id = call.id === undefined ? `call_${callId()}` : call.id
  return {
    ...(id === null ? {} : { id }),
    function: {
      index,
      ...(call.name === null ? {} : { name: call.name }),
      arguments: call.rawArgs === undefined ? (call.args ?? {}) : rawMark,
    },
  }
}

/** Puts raw arguments where their mark stands; as a JSON string where they are no JSON, since the line must be. */
function patch(line: string, calls: ScriptedCall[]): string {
  let patched = line
  for (const { rawArgs } of calls) {
    if (rawArgs === undefined) continue
    const written = isJson(rawArgs) ? rawArgs : JSON.stringify(rawArgs)
    patched = patched.replace(`"${rawMark}"`, () => written)
  }
  return patched
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
const callId = () => [...randomBytes(8)].map((byte) => letters[byte % letters.length]).join('')

/** Nanoseconds, all of them. */
function counters(usage: TurnUsage) {
  const second = 1e9
  return {
    total_duration: usage.outputTokens * 0.02 * second + 0.1 * second,
    load_duration: 41_295_167,
    prompt_eval_count: usage.inputTokens,
    prompt_eval_duration: usage.inputTokens * 0.001 * second,
    eval_count: usage.outputTokens,
    eval_duration: usage.outputTokens * 0.02 * second,
  }
}

/** Go's `omitempty`: zero, empty text and nothing are left out. */
export function omitEmpty<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== 0 && value !== '' && value !== undefined),
  ) as Partial<T>
}

/** RFC 3339 as Go writes it: up to nine digits, without trailing zeros. */
export function goTime(date: Date): string {
  const nanoseconds = `${String(date.getUTCMilliseconds()).padStart(3, '0')}${String(process.hrtime()[1] % 1e6).padStart(6, '0')}`
  const fraction = nanoseconds.replace(/0+$/, '')
  return `${date.toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`
}
