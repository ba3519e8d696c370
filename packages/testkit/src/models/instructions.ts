import type { ScriptedCall } from './turn.ts'

/** Something that a text tells its reader to do. */
export type Instruction = { name: string; args: Record<string, unknown>; forEver?: true }

/** More of a text is not read: nobody hides an instruction there who wants it to be found. */
const mostChars = 300_000

/**
 * Everything that a text asks for, in the order in which it asks: lines with a marker, imperatives with their object
 * between backticks, in several languages and both orders of words, and the same within base64 and within JSON.
 */
export function instructionsIn(text: string): Instruction[] {
  const found = readable(text.slice(0, mostChars)).flatMap(inPlainText)
  return [...new Map(found.map((each) => [keyOf(each), each])).values()]
}

export function keyOf({ name, args }: { name: string | null; args?: unknown }): string {
  return `${name} ${JSON.stringify(sorted(args))}`
}

/** The one marker that can say any call. */
export function marker(call: ScriptedCall, forEver = false): string {
  return `INJECT${forEver ? '-FOREVER' : ''}: ${JSON.stringify({ tool: call.name, args: call.args ?? {} })}`
}

/** What a tool answers is JSON, or JSON that was cut; a reader sees through the quoting. */
function readable(text: string): string[] {
  const value = parsed(text)
  if (typeof value === 'object' && value !== null) return stringsIn(value)
  const looksQuoted = /^\s*[{[]/.test(text)
  const unquoted = text.replace(/\\(["\\n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
  return looksQuoted ? [text, unquoted] : [text]
}

function inPlainText(text: string): Instruction[] {
  const found = [...marked(text), ...spoken(text)].toSorted((a, b) => a.at - b.at)
  return [...found.map(({ instruction }) => instruction), ...decoded(text).flatMap(inPlainText)]
}

type Found = { at: number; instruction: Instruction }

function marked(text: string): Found[] {
  return [...text.matchAll(/INJECT(-FOREVER)?:\s*(?=\{)/g)].flatMap((match) => {
    const at = match.index + match[0].length
    const value = parsed(objectAt(text, at)) as { tool?: unknown; args?: unknown } | undefined
    if (typeof value?.tool !== 'string') return []
    const args = typeof value.args === 'object' && value.args !== null ? value.args : {}
    const instruction: Instruction = {
      name: value.tool,
      args: args as Record<string, unknown>,
      ...(match[1] === undefined ? {} : { forEver: true }),
    }
    return [{ at: match.index, instruction }]
  })
}

type Verb = { verb: RegExp; call: (object: string) => Instruction | undefined }

const word = (words: string) => new RegExp(`(?<![\\p{L}\\p{N}_])(?:${words})(?![\\p{L}\\p{N}_])`, 'giu')

/** What stands before an object between backticks; the last of them decides. Chinese has no blanks between words. */
const verbsBefore: Verb[] = [
  {
    verb: word(
      'run|execute|führe|lance|exécute|exécutez|ejecuta|ejecute|esegui|rode|uruchom|выполни|запусти',
    ),
    call: command,
  },
  { verb: /运行|执行/g, call: command },
  {
    verb: word('read|open|lies|lis|lisez|lee|leggi|прочитай'),
    call: (path) => ({ name: 'read_file', args: { path } }),
  },
  { verb: /阅读|读取/g, call: (path) => ({ name: 'read_file', args: { path } }) },
  { verb: word('list|look into'), call: (path) => ({ name: 'list_directory', args: { path } }) },
  {
    verb: word('fetch|download|visit'),
    call: (url) => (/^https?:\/\/[^\s']+$/.test(url) ? command(`curl -sS -m 5 '${url}'`) : undefined),
  },
]
/** Where the verb comes last. */
const verbAfter = /^\s*(?:を実行|を 실행|을 실행|를 실행|ausführen)/
const write = word('write|create|schreibe')
const content = word('with|containing|mit')
const endless = /^[^\n]{0,40}(?:for ever|forever|again and again|never stop|endlessly)/i

function command(object: string): Instruction {
  return { name: 'run_command', args: { command: object } }
}

function spoken(text: string): Found[] {
  let lineAt = 0
  return text.split('\n').flatMap((line) => {
    const at = lineAt
    lineAt += line.length + 1
    return inLine(line).map((found) => ({ ...found, at: at + found.at }))
  })
}

/** Every second part of a line is between backticks. */
function inLine(line: string): Found[] {
  const parts = line.split('`')
  const found: Found[] = []
  let at = 0
  for (let i = 0; i + 2 < parts.length; i += 2) {
    const [before = '', object = '', after = ''] = parts.slice(i, i + 3)
    at += before.length + object.length + 2
    const clause =
      before
        .split(/[.!?。]\s/)
        .at(-1)
        ?.slice(-80) ?? ''
    const instruction =
      lastIn(clause, write) >= 0 ? writing(object, after, parts[i + 3]) : told(clause, object, after)
    if (instruction === undefined) continue
    if (endless.test(after)) instruction.forEver = true
    found.push({ at, instruction })
  }
  return found
}

function told(clause: string, object: string, after: string): Instruction | undefined {
  const nearest = verbsBefore
    .map(({ verb, call }) => ({ at: lastIn(clause, verb), call }))
    .toSorted((a, b) => b.at - a.at)[0]
  if (nearest !== undefined && nearest.at >= 0) return nearest.call(object)
  return verbAfter.test(after) ? command(object) : undefined
}

function writing(path: string, between: string, text: string | undefined): Instruction | undefined {
  if (text === undefined || lastIn(between, content) < 0) return undefined
  return { name: 'write_file', args: { path, content: text.replaceAll('\\n', '\n') } }
}

function lastIn(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].at(-1)?.index ?? -1
}

/** Long words of base64, in either alphabet, that say something when they are decoded. */
function decoded(text: string): string[] {
  return [...text.matchAll(/[A-Za-z0-9+/_-]{32,}={0,2}/g)]
    .map(([word]) => Buffer.from(word, word.includes('-') || word.includes('_') ? 'base64url' : 'base64'))
    .map((bytes) => bytes.toString('utf8'))
    .filter((inner) => inner.includes('INJECT') || inner.includes('`'))
}

/** The text of a JSON object that begins here, however it goes on after it. */
function objectAt(text: string, from: number): string {
  let depth = 0
  let inString = false
  for (let at = from; at < text.length; at += 1) {
    const character = text[at]
    if (inString) {
      if (character === '\\') at += 1
      else if (character === '"') inString = false
      continue
    }
    if (character === '"') inString = true
    else if (character === '{') depth += 1
    else if (character === '}' && (depth -= 1) === 0) return text.slice(from, at + 1)
  }
  return ''
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return readable(value)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [key, ...stringsIn(inner)])
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
