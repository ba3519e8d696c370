import { readArguments } from '../providers/read-call.ts'
import type { RescueDialect } from '../model.ts'
import type { Reading, WrittenCall } from './block.ts'
import { parseModelJson } from './json-text.ts'

const nameKeys = ['name', 'tool', 'tool_name', 'function']
const argumentKeys = ['arguments', 'parameters', 'args', 'input']
const knownKeys = new Set([...nameKeys, ...argumentKeys, 'id', 'type'])

/**
 * The calls that a piece of JSON makes: one object or a list of them. Undefined when it is something else: another name,
 * or, where no tag says that it is a call, keys that a call does not have (`{"name": "read_file", "version": 2}`).
 */
export function callsOf(
  raw: string,
  dialect: RescueDialect,
  { offered }: Pick<Reading, 'offered'>,
): WrittenCall[] | undefined {
  const parsed = parseModelJson(raw)
  if ('problem' in parsed) return brokenCall(raw, dialect, offered, parsed.problem)
  const list = Array.isArray(parsed.value) ? parsed.value : [parsed.value]
  const calls = list.map((value) => callOf(value, raw, dialect, offered))
  return calls.length > 0 && calls.every((call) => call !== undefined) ? calls : undefined
}

function callOf(
  value: unknown,
  raw: string,
  dialect: RescueDialect,
  offered: ReadonlySet<string>,
): WrittenCall | undefined {
  if (!isRecord(value)) return undefined
  const inner = isRecord(value['function']) ? value['function'] : value
  const name = nameKeys.map((key) => own(inner, key)).find((found) => typeof found === 'string')
  if (typeof name !== 'string' || !offered.has(name)) return undefined
  const key = argumentKeys.find((candidate) => Object.hasOwn(inner, candidate))
  const strange = Object.keys(inner).some((candidate) => !knownKeys.has(candidate))
  const isTagged = dialect === 'tool_call_json'
  if (!isTagged && (key === undefined || strange)) return undefined
  if (key === undefined && strange) {
    return { dialect, name, args: {}, raw, malformed: 'The arguments must be an object in "arguments".' }
  }
  return { dialect, name, raw, ...readArguments(key === undefined ? {} : inner[key]) }
}

/** Broken JSON is a call, one that the model must be told of, only if it begins like one. */
const beginning =
  /^\s*\[?\s*\{\s*"(?:name|tool|tool_name|function)"\s*:\s*"([^"\\]+)"\s*,\s*"(?:arguments|parameters|args|input)"\s*:/

export function brokenCall(
  raw: string,
  dialect: RescueDialect,
  offered: ReadonlySet<string>,
  problem: string,
): WrittenCall[] | undefined {
  const name = beginning.exec(raw)?.[1]
  if (name === undefined || !offered.has(name)) return undefined
  return [{ dialect, name, args: {}, raw, malformed: `The call is not JSON: ${problem}` }]
}

const own = (value: Record<string, unknown>, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
