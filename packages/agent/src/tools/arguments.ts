import { tools, type Field, type ToolName } from './specs.ts'

export type Checked =
  | { ok: true; name: ToolName; args: Record<string, string | number | boolean> }
  | { ok: false; code: 'UNKNOWN_TOOL' | 'INVALID_ARGUMENTS'; error: string }

/** What other agents call the same thing. Taken when the field itself is missing, so that it can mean nothing else. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  path: ['file_path', 'filepath', 'file', 'filename', 'file_name', 'directory', 'dir', 'folder'],
  content: ['contents', 'text', 'file_text', 'data'],
  old: ['old_string', 'old_str', 'old_text', 'search'],
  new: ['new_string', 'new_str', 'new_text', 'replace', 'replacement'],
  all: ['replace_all'],
  command: ['cmd', 'script', 'shell'],
  pattern: ['query', 'regex', 'search', 'text'],
  timeout_s: ['timeout', 'timeout_seconds'],
  cwd: ['workdir', 'working_directory', 'dir', 'directory'],
  start_line: ['start', 'from', 'from_line', 'line'],
  end_line: ['end', 'to', 'to_line'],
}

const toolAliases: Readonly<Record<string, ToolName>> = {
  bash: 'run_command',
  shell: 'run_command',
  execute: 'run_command',
  terminal: 'run_command',
  cat: 'read_file',
  view: 'read_file',
  open_file: 'read_file',
  create_file: 'write_file',
  save_file: 'write_file',
  str_replace: 'edit_file',
  replace_in_file: 'edit_file',
  ls: 'list_directory',
  list_files: 'list_directory',
  grep: 'search_files',
  find: 'search_files',
}

/** Reads the arguments of a call against what the tool takes, and says what is wrong so that a model can do it right. */
export function checkArguments(name: string, given: Record<string, unknown>): Checked {
  if (!isTool(name)) {
    const meant =
      (Object.hasOwn(toolAliases, name.toLowerCase()) ? toolAliases[name.toLowerCase()] : undefined) ??
      nearest(name, Object.keys(tools))
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`
    return {
      ok: false,
      code: 'UNKNOWN_TOOL',
      error: `There is no tool "${name.slice(0, 60)}".${hint} The tools are ${Object.keys(tools).join(', ')}.`,
    }
  }
  const { fields } = tools[name]
  const named = rename(unwrap(given, fields), fields)
  const problems: string[] = []
  const args: Record<string, string | number | boolean> = {}
  for (const [field, value] of Object.entries(named)) {
    const spec = Object.hasOwn(fields, field) ? fields[field] : undefined
    if (spec === undefined) problems.push(unknown(field, fields))
    else if (value !== null && value !== undefined) {
      const read = coerce(field, spec, value)
      if (typeof read === 'object') problems.push(read.problem)
      else args[field] = read
    }
  }
  for (const [field, { required, type }] of Object.entries(fields)) {
    const isMissing = named[field] === undefined || named[field] === null
    if (required && isMissing) problems.push(`"${field}" is missing (${type})`)
  }
  if (problems.length === 0) return { ok: true, name, args }
  return {
    ok: false,
    code: 'INVALID_ARGUMENTS',
    error: `${name}: ${problems.slice(0, 5).join('; ')}. It takes ${signature(fields)}.`,
  }
}

function isTool(name: string): name is ToolName {
  return Object.hasOwn(tools, name)
}

/** Some models put the arguments into a field of their own. */
function unwrap(given: Record<string, unknown>, fields: Record<string, Field>): Record<string, unknown> {
  const [only, ...others] = Object.keys(given)
  if (only === undefined || others.length > 0 || Object.hasOwn(fields, only)) return given
  const inner = given[only]
  if (!/^(arguments|args|parameters|params|input)$/.test(only)) return given
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    ? (inner as Record<string, unknown>)
    : given
}

function rename(given: Record<string, unknown>, fields: Record<string, Field>): Record<string, unknown> {
  const named: Record<string, unknown> = { ...given }
  for (const field of Object.keys(fields)) {
    if (named[field] !== undefined) continue
    const alias = aliases[field]?.find((each) => named[each] !== undefined && fields[each] === undefined)
    if (alias === undefined) continue
    named[field] = named[alias]
    delete named[alias]
  }
  return named
}

type Read = string | number | boolean | { problem: string }

function coerce(field: string, spec: Field, value: unknown): Read {
  if (spec.type === 'string') {
    if (typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    // A JSON file whose content was given as the object itself.
    if (field === 'content' && typeof value === 'object') return `${JSON.stringify(value, null, 2)}\n`
  }
  if (spec.type === 'boolean') {
    if (typeof value === 'boolean') return value
    if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  }
  if (spec.type === 'integer') {
    const number = typeof value === 'string' && /^-?\d+(\.0+)?$/.test(value.trim()) ? Number(value) : value
    if (typeof number === 'number' && Number.isSafeInteger(number)) return inRange(field, spec, number)
  }
  return { problem: `"${field}" must be ${article[spec.type]}, not ${kindOf(value)}` }
}

const article = { string: 'a string', integer: 'a whole number', boolean: 'true or false' }

function inRange(field: string, { minimum = -Infinity, maximum = Infinity }: Field, value: number): Read {
  if (value < minimum) return { problem: `"${field}" must be at least ${minimum}, not ${value}` }
  if (value > maximum) return { problem: `"${field}" must be at most ${maximum}, not ${value}` }
  return value
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return `${typeof value} ${JSON.stringify(value).slice(0, 40)}`
}

function unknown(field: string, fields: Record<string, Field>): string {
  const meant =
    Object.keys(fields).find((each) => aliases[each]?.includes(field)) ?? nearest(field, Object.keys(fields))
  const hint = meant === undefined ? '' : `, did you mean "${meant}"?`
  return `"${field.slice(0, 40)}" is not an argument of it${hint}`
}

function signature(fields: Record<string, Field>): string {
  const words = Object.entries(fields).map(
    ([field, { type, required }]) => `${field}${required ? '' : '?'}: ${type}`,
  )
  return `{ ${words.join(', ')} }`
}

/** By the number of letters to change; undefined when nothing is near. */
function nearest(word: string, candidates: string[]): string | undefined {
  const [best] = candidates
    .map((candidate) => ({ candidate, away: distance(word.toLowerCase().slice(0, 40), candidate) }))
    .toSorted((a, b) => a.away - b.away)
  return best !== undefined && best.away <= Math.max(2, best.candidate.length / 3)
    ? best.candidate
    : undefined
}

function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1]
    for (let j = 0; j < to.length; j += 1) {
      const replaced = (row[j] as number) + (letter === to[j] ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] as number) + 1, (next[j] as number) + 1))
    }
    row = next
  }
  return row.at(-1) as number
}
