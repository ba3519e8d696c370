import { z } from 'zod'

/** As much of JSON Schema as zod writes for what crosses the wire. */
export type JsonSchema = {
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  format?: string
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  maxItems?: number
  items?: JsonSchema
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: unknown
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  default?: unknown
  description?: string
  /** Of a shape that several messages hold; it is told once. */
  title?: string
}

/** One field of a message; `path` as in `walls[].kind`. */
export type Field = { path: string; schema: JsonSchema; isOptional: boolean }

/** The messages of a union, by type. `io` says on which side: what may be left out, or what is always there. */
export function messagesOf(union: z.ZodType, io: 'input' | 'output'): { type: string; schema: JsonSchema }[] {
  const schema = z.toJSONSchema(union, { io, unrepresentable: 'any' }) as JsonSchema
  return (schema.oneOf ?? []).map((message) => ({
    type: String(message.properties?.['type']?.const),
    schema: message,
  }))
}

/** Every field of a message, those inside of others too, in order. */
export function fieldsOf(schema: JsonSchema, prefix = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    if (field.const !== undefined && name === 'type') return []
    const path = `${prefix}${name}`
    const isOptional = schema.required?.includes(name) !== true
    return [{ path, schema: field, isOptional }, ...inside(field, path)]
  })
}

function inside(schema: JsonSchema, path: string): Field[] {
  if (schema.title !== undefined) return []
  if (schema.items !== undefined) return inside(schema.items, `${path}[]`)
  if (schema.properties !== undefined) return fieldsOf(schema, `${path}.`)
  return (schema.anyOf ?? []).flatMap((part) => inside(part, path))
}

/** The shapes that these messages hold, each once, in the order in which they are first met. */
export function shapesOf(messages: { schema: JsonSchema }[]): JsonSchema[] {
  const found = new Map<string, JsonSchema>()
  const look = (schema: JsonSchema) => {
    if (schema.title !== undefined && schema.properties !== undefined) {
      if (found.has(schema.title)) return
      found.set(schema.title, schema)
    }
    for (const part of [schema.items, ...(schema.anyOf ?? []), ...Object.values(schema.properties ?? {})])
      if (part !== undefined) look(part)
  }
  for (const { schema } of messages) look(schema)
  return [...found.values()]
}

/** What a field holds, in words. */
export function wordsFor(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (schema.anyOf !== undefined) return either(schema.anyOf)
  if (Array.isArray(schema.type)) return either(schema.type.map((type) => ({ ...schema, type })))
  switch (schema.type) {
    case 'string':
      return text(schema)
    case 'integer':
      return `whole number${range(schema)}`
    case 'number':
      return `number${range(schema)}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return `list${schema.maxItems === undefined ? '' : `, at most ${schema.maxItems}`}, of: ${wordsFor(schema.items ?? {})}`
    case 'object':
      if (schema.title !== undefined) return `[${schema.title}](#${schema.title})`
      return schema.properties === undefined ? 'object of any JSON' : 'object'
    case 'null':
      return 'null'
    default:
      return 'any JSON'
  }
}

function either(parts: JsonSchema[]): string {
  const words = parts.map(wordsFor)
  return [...words.filter((word) => word !== 'null'), ...words.filter((word) => word === 'null')].join(' or ')
}

function text({ format, pattern = '', maxLength }: JsonSchema): string {
  if (format === 'uuid') return 'UUID'
  if (format === 'date-time') return 'time, ISO 8601'
  if (pattern.includes('[0-9a-f]{40}')) return 'commit id, 40 or 64 hexadecimal digits'
  const kind = pattern.startsWith('^[a-z0-9]') ? 'name of lower-case letters, digits, `.`, `_`, `-`' : 'text'
  return maxLength === undefined ? kind : `${kind}, at most ${maxLength} characters`
}

function range({ minimum, maximum }: JsonSchema): string {
  // The bounds of a whole number that JavaScript can hold say nothing.
  const low = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? '' : ` from ${minimum}`
  const high = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? '' : ` to ${maximum}`
  return `${low}${high}`
}
