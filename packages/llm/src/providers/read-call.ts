import { randomUUID } from 'node:crypto'
import type { ToolCall } from '../model.ts'

/** A native call as it came, made whole: with an id that every server takes back, and arguments that are an object. */
export function readCall(part: { id?: string; name: string; args: unknown }, taken: Set<string>): ToolCall {
  const usable = part.id !== undefined && /^[\w-]{1,64}$/.test(part.id) && !taken.has(part.id)
  const id = usable && part.id !== undefined ? part.id : newCallId()
  taken.add(id)
  return { id, name: part.name.slice(0, 200), ...readArguments(part.args) }
}

export const newCallId = (): string => `call_${randomUUID().replaceAll('-', '').slice(0, 16)}`

/** An object, a string that is JSON of one (some servers encode it twice), or nothing at all. */
export function readArguments(args: unknown): Pick<ToolCall, 'args' | 'malformed'> {
  let value = args
  for (let depth = 0; depth < 2 && typeof value === 'string' && value.trim() !== ''; depth++) {
    try {
      value = JSON.parse(value)
    } catch (error) {
      return { args: {}, malformed: `The arguments are not JSON: ${(error as Error).message}` }
    }
  }
  if (value === undefined || value === null || value === '') return { args: {} }
  if (typeof value === 'string' && value.trim() === '') return { args: {} }
  if (typeof value !== 'object' || Array.isArray(value)) {
    return { args: {}, malformed: 'The arguments are not a JSON object.' }
  }
  return { args: value as Record<string, unknown> }
}
