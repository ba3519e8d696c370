/**
 * What a shell text says, as far as it must be known to see every command that it can run. The shape of loops and
 * conditions does not matter for that: whatever stands in one may run.
 */
export type Part =
  | { kind: 'text'; text: string; quoted: boolean }
  /** `fallback` is the word of `${X:-word}`. */
  | { kind: 'variable'; name: string; quoted: boolean; fallback?: Word }
  /** What a substitution puts out. The commands in it are in the script. */
  | { kind: 'unknown'; quoted: boolean }

export type Word = Part[]

export type Redirect = { operator: string; target: Word }

export type SimpleCommand = {
  assignments: { name: string; value: Word }[]
  words: Word[]
  redirects: Redirect[]
  /** What standard input is when it stands in the text: a here-document or a here-string. */
  input: Word | undefined
  /** What comes through a pipe; `compound` is a loop, a group or a subshell. */
  pipedFrom: SimpleCommand | 'compound' | undefined
  isInPipe: boolean
  isBackground: boolean
  /** Functions in whose body it stands; a group is one without a name. */
  functions: string[]
}

export type Script = {
  commands: SimpleCommand[]
  /** Everything a variable may be set to; `undefined` is a value that is not known. */
  variables: Map<string, (Word | undefined)[]>
  /** Steps that reading may still take: a text that is read anew at each level must come to an end. */
  budget: number
}

/** The text is not a shell text, or not one that can be read here. */
export class Unreadable extends Error {}

export type Reader = {
  text: string
  at: number
  script: Script
  depth: number
  functions: string[]
  /** The function whose body comes next. */
  named: string
  heredocs: { command: SimpleCommand; delimiter: string; isQuoted: boolean; isIndented: boolean }[]
}

const maxDepth = 25
const maxCommands = 5_000
const maxSteps = 1_000_000

export function newReader(text: string, from?: Reader): Reader {
  return {
    text,
    at: 0,
    script: from?.script ?? { commands: [], variables: new Map(), budget: maxSteps },
    depth: from?.depth ?? 0,
    functions: from?.functions ?? [],
    named: '',
    heredocs: [],
  }
}

/** Reads what is nested in something. */
export function deeper<T>(reader: Reader, read: () => T): T {
  reader.depth += 1
  if (reader.depth > maxDepth) throw new Unreadable('it is nested too deeply')
  const result = read()
  reader.depth -= 1
  return result
}

export function takeStep(reader: Reader): void {
  reader.script.budget -= 1
  if (reader.script.budget < 0) throw new Unreadable('it takes too long to read')
}

export function addCommand(reader: Reader, command: SimpleCommand): void {
  if (reader.script.commands.length >= maxCommands) throw new Unreadable('it has too many commands')
  reader.script.commands.push(command)
}

export function assign(reader: Reader, name: string, value: Word | undefined): void {
  const { variables } = reader.script
  const values = variables.get(name)
  if (values === undefined) variables.set(name, [value])
  else values.push(value)
}

export const emptyCommand = (functions: string[]): SimpleCommand => ({
  assignments: [],
  words: [],
  redirects: [],
  input: undefined,
  pipedFrom: undefined,
  isInPipe: false,
  isBackground: false,
  functions,
})
