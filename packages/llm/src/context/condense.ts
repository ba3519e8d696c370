import type { ModelMessage, ToolCall } from '../model.ts'
import type { Turn } from './turns.ts'

const mostEntries = 30
const mostCharacters = 100

/**
 * Turns as one short message: which tools were called on what, in order, and which of them failed. Made by counting and not
 * by a model: it costs nothing, is the same each time, and invents nothing.
 */
export function condense(turns: Turn[]): ModelMessage {
  const entries = merged(
    turns.flatMap((turn) => turn.messages.flatMap((message) => entriesOf(message, turn))),
  )
  const left = entries.length - mostEntries
  const shown = left > 0 ? [`(${left} before these)`, ...entries.slice(-mostEntries)] : entries
  const text = `Earlier steps, shortened to make room:\n${shown.map((entry) => `- ${entry}`).join('\n')}`
  return { role: 'user', text, keep: true }
}

function entriesOf(message: ModelMessage, turn: Turn): string[] {
  if (message.role === 'user') return [`you were told: ${clip(message.text)}`]
  if (message.role !== 'assistant') return []
  if (message.calls.length === 0) return [`you said: ${clip(message.text)}`]
  return message.calls.map((call) => `${call.name}${target(call)}${failed(call, turn) ? ': failed' : ''}`)
}

/** The one argument that says on what: the first that is a short text. */
function target({ args }: ToolCall): string {
  const first = Object.values(args).find((value) => typeof value === 'string' && value !== '')
  return typeof first === 'string' ? ` ${clip(first)}` : ''
}

const failureMark = /"(?:ok|success)"\s*:\s*false|"(?:exit_?code)"\s*:\s*[^0\s,}]|^\s*\{?\s*"?error\b/i

function failed(call: ToolCall, { messages }: Turn): boolean {
  const result = messages.find((message) => message.role === 'tool' && message.callId === call.id)
  return call.malformed !== undefined || (result !== undefined && failureMark.test(result.text))
}

/** The same thing several times in a row is one entry. */
function merged(entries: string[]): string[] {
  const groups: { entry: string; times: number }[] = []
  for (const entry of entries) {
    const last = groups.at(-1)
    if (last?.entry === entry) last.times++
    else groups.push({ entry, times: 1 })
  }
  return groups.map(({ entry, times }) => (times === 1 ? entry : `${entry} (${times} times)`))
}

function clip(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ')
  return line.length > mostCharacters ? `${line.slice(0, mostCharacters)}…` : line
}
