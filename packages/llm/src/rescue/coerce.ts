import type { JsonSchema } from '../model.ts'

/**
 * Text where the schema of the tool wants something else, made into that: `"true"`, `"12"`, `"0.5"`, a list or an object
 * written as JSON. What does not fit stays as it is, for the tool to complain of.
 */
export function coerce(value: unknown, schema: unknown): unknown {
  const types = typesOf(schema)
  if (typeof value === 'string') return types.includes('string') ? value : fromText(value, types, schema)
  if (Array.isArray(value)) {
    const items = field(schema, 'items')
    return items === undefined ? value : value.map((item) => coerce(item, items))
  }
  return isRecord(value) ? coerceFields(value, schema) : value
}

function coerceFields(value: Record<string, unknown>, schema: unknown): Record<string, unknown> {
  const properties = field(schema, 'properties')
  if (!isRecord(properties)) return value
  // Made from entries: an assignment to `__proto__` would change the object instead of adding to it.
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      Object.hasOwn(properties, key) ? coerce(entry, properties[key]) : entry,
    ]),
  )
}

function fromText(text: string, types: string[], schema: unknown): unknown {
  const trimmed = text.trim()
  if (types.includes('boolean') && /^(true|false)$/i.test(trimmed)) return trimmed.toLowerCase() === 'true'
  if (types.includes('integer') && /^[+-]?\d+(\.0+)?$/.test(trimmed)) return safely(Number(trimmed), text)
  if (types.includes('number') && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) {
    return safely(Number(trimmed), text)
  }
  if (types.includes('null') && /^(null|none)$/i.test(trimmed)) return null
  return fromJson(trimmed, types, schema) ?? text
}

/** A number that would become another one stays text. */
const safely = (number: number, text: string): number | string =>
  Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : text

function fromJson(text: string, types: string[], schema: unknown): unknown {
  const wanted = { '[': 'array', '{': 'object' }[text[0] ?? '']
  if (wanted === undefined || !types.includes(wanted)) return undefined
  try {
    return coerce(JSON.parse(text), schema)
  } catch {
    return undefined
  }
}

/** The types that a schema allows; none when it does not say. */
function typesOf(schema: unknown): string[] {
  const type = field(schema, 'type')
  if (typeof type === 'string') return [type]
  if (Array.isArray(type)) return type.filter((each) => typeof each === 'string')
  const either = field(schema, 'anyOf') ?? field(schema, 'oneOf')
  return Array.isArray(either) ? either.flatMap(typesOf) : []
}

const field = (schema: unknown, name: string): unknown =>
  isRecord(schema) && Object.hasOwn(schema, name) ? schema[name] : undefined

const isRecord = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
