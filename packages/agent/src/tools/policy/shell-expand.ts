import type { Script, Word } from './shell-script.ts'

/** Stands in a text for what is not known. A command cannot hold it. */
export const unknown = '\0'
/** The same for a variable to which the text gives no value. It may well be empty. */
export const unset = '\u0001'
export const isUnknown = (text: string): boolean => text.includes(unknown) || text.includes(unset)

/** A word as the program gets it, once for each way it may turn out. Letters that quotes protected are plain again. */
export type Argument = { text: string; isPattern: boolean }

const maxWays = 32
/** A longer value is no name of a program and no folder. */
const maxValueChars = 10_000

/**
 * Quoted letters that would mean something to the shell are moved out of the way while braces, blanks and patterns are
 * looked for, and back in the end.
 */
const special = /[{},*?[\]~\s!+@]/g
const hidden = 0xe000
const hide = (text: string): string =>
  text
    .replaceAll(/[\ue000-\ue07f]/g, '\ufffd')
    .replaceAll(special, (letter) => String.fromCharCode(hidden + letter.charCodeAt(0)))
const show = (text: string): string =>
  text.replaceAll(/[\ue000-\ue07f]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - hidden))

export type Variables = Script['variables']

/** The lists of arguments that words may become; one unless variables with several values are in them. */
export function expandWords(words: Word[], variables: Variables): Argument[][] {
  let ways: string[][] = [[]]
  for (const word of words) {
    const ends = fieldsOf(word, variables)
    // Too many to look at each: then the value counts as not known.
    const next = ends.length * ways.length > maxWays ? [[unknown]] : ends
    const [only] = next
    if (only !== undefined && next.length === 1)
      ways.forEach((way) => only.forEach((field) => way.push(field)))
    else ways = ways.flatMap((way) => next.map((fields) => [...way, ...fields]))
  }
  return ways.map((way) => way.map((text) => ({ text: show(text), isPattern: /[*?[]/.test(text) })))
}

/** The whole word as one text, for where the shell does not split: here-documents, assignments, redirections. */
export function expandText(word: Word, variables: Variables): string[] {
  return waysOf(word, variables).map(show)
}

function fieldsOf(word: Word, variables: Variables): string[][] {
  const isQuoted = word.some((part) => part.quoted)
  return waysOf(word, variables).map((text) => {
    const fields = braces(text).flatMap((each) => each.split(/\s+/).filter((field) => field !== ''))
    return fields.length === 0 && isQuoted ? [''] : fields
  })
}

function waysOf(word: Word, variables: Variables): string[] {
  let ways = ['']
  for (const part of word) {
    const values =
      part.kind === 'text'
        ? [part.quoted ? hide(part.text) : part.text]
        : part.kind === 'unknown'
          ? [unknown]
          : valuesOf(part, variables)
    const next = values.length * ways.length > maxWays ? [unknown] : values
    ways = ways.flatMap((way) => next.map((value) => way + value))
  }
  return ways
}

const environment: ReadonlyMap<string, string> = new Map([
  ['HOME', '~'],
  ['PWD', '.'],
  ['USER', 'agent'],
  ['LOGNAME', 'agent'],
])

function valuesOf(part: Extract<Word[number], { kind: 'variable' }>, variables: Variables): string[] {
  const values = new Set(assignedTo(part.name, variables))
  for (const way of part.fallback === undefined ? [] : waysOf(part.fallback, variables)) values.add(show(way))
  return [...values].map((value) => (part.quoted ? hide(value) : value))
}

const known = new WeakMap<Variables, Map<string, string[]>>()

/** All values that the text gives to a variable, worked out once. One that is made from itself is not known. */
function assignedTo(name: string, variables: Variables): string[] {
  const memory = known.get(variables) ?? new Map<string, string[]>()
  known.set(variables, memory)
  const before = memory.get(name)
  if (before !== undefined) return before
  memory.set(name, [unknown])
  const own = environment.get(name)
  const values = new Set<string>(own === undefined ? [] : [own])
  const words = variables.get(name)
  for (const word of words ?? []) {
    if (values.size > maxWays) break
    for (const way of word === undefined ? [unknown] : waysOf(word, variables)) {
      values.add(way.length > maxValueChars ? unknown : show(way))
    }
  }
  if (words === undefined && own === undefined) values.add(unset)
  const found = values.size > maxWays ? [unknown] : [...values]
  memory.set(name, found)
  return found
}

/** `a{b,c}d` is `abd acd`. Sequences such as `{1..3}` are names of nothing that matters. */
function braces(text: string, depth = 0): string[] {
  for (let close = text.indexOf('}'); close !== -1; close = text.indexOf('}', close + 1)) {
    const open = text.lastIndexOf('{', close)
    const inner = open === -1 ? '' : text.slice(open + 1, close)
    if (!inner.includes(',') || inner.includes('}')) continue
    if (depth > 6 || text.length > 2_000) return [unknown]
    const [before, after] = [text.slice(0, open), text.slice(close + 1)]
    const ends = inner.split(',')
    if (ends.length > maxWays) return [unknown]
    const made = ends.flatMap((each) => braces(`${before}${each}${after}`, depth + 1))
    return made.length > 256 ? [unknown] : made
  }
  return [text]
}
