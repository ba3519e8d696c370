import { expandText, expandWords, type Argument, type Variables } from './shell-expand.ts'
import { parseShell } from './shell-parse.ts'
import { Unreadable, type SimpleCommand, type Word } from './shell-script.ts'
import { unwrap } from './unwrap.ts'

/** A program that a text can start, with what it gets. */
export type Command = {
  /** Without its folder; '' for assignments and redirections alone. */
  name: string
  args: Argument[]
  /** Files that it writes or reads by redirection. */
  redirects: { operator: string; path: string }[]
  assignments: { name: string; value: string }[]
  /** It runs itself again, and does not wait. */
  isForkingItself: boolean
}

/** Where a command stands that hides what it runs. The text is never run then. */
export type Hidden = { hidden: string }

const maxTexts = 200
const maxChars = 1_000_000

/**
 * Every command that a shell text can start: through wrappers, in substitutions, in texts that are handed to another shell,
 * and by the values that the text itself gives to variables.
 */
export function commandsIn(text: string): (Command | Hidden)[] {
  const found: (Command | Hidden)[] = []
  const open: { text: string; variables: Variables }[] = [{ text, variables: new Map() }]
  for (let count = 0, chars = 0; open.length > 0; count += 1) {
    chars += open.at(-1)?.text.length ?? 0
    if (count >= maxTexts || chars > maxChars) return [...found, { hidden: 'it hands on too many texts' }]
    const { text, variables: outer } = open.pop() as (typeof open)[number]
    const script = parseOr(text)
    if ('hidden' in script) {
      found.push(script)
      continue
    }
    const variables: Variables = new Map(outer)
    for (const [name, values] of script.variables)
      variables.set(name, [...(outer.get(name) ?? []), ...values])
    for (const command of script.commands) noteAssignments(command, variables)
    for (const command of script.commands) {
      for (const each of looked(command, variables)) {
        if ('script' in each) open.push({ text: each.script, variables })
        else found.push(each)
      }
    }
  }
  return found
}

function parseOr(text: string) {
  try {
    return parseShell(text)
  } catch (error) {
    if (error instanceof Unreadable) return { hidden: error.message }
    throw error
  }
}

/** What `export X=…`, `read X` and the like give to variables. */
function noteAssignments({ words }: SimpleCommand, variables: Variables): void {
  const [first, ...rest] = words
  const name = first?.length === 1 && first[0]?.kind === 'text' ? first[0].text : ''
  const add = (name: string, value: Word | undefined) =>
    void variables.set(name, [...(variables.get(name) ?? []), value])
  for (const word of rest) {
    const [part, ...more] = word
    if (part?.kind !== 'text') continue
    const [whole, variable] = /^([A-Za-z_]\w*)=/.exec(part.text) ?? []
    if (
      /^(export|declare|local|typeset|readonly)$/.test(name) &&
      whole !== undefined &&
      variable !== undefined
    ) {
      add(variable, [{ ...part, text: part.text.slice(whole.length) }, ...more])
    }
    if (/^(read|mapfile|readarray|getopts|printf)$/.test(name) && /^[A-Za-z_]\w*$/.test(part.text))
      add(part.text, undefined)
  }
}

type Looked = Command | Hidden | { script: string }

function looked(command: SimpleCommand, variables: Variables): Looked[] {
  const redirects = command.redirects.flatMap(({ operator, target }) =>
    expandText(target, variables).map((path) => ({ operator, path })),
  )
  const assignments = command.assignments.flatMap(({ name, value }) =>
    expandText(value, variables).map((text) => ({ name, value: text })),
  )
  const plain = { name: '', args: [], redirects, assignments, isForkingItself: false }
  const input = inputOf(command, variables)
  return [
    ...(redirects.length + assignments.length > 0 ? [plain] : []),
    ...expandWords(command.words, variables).flatMap((argv): Looked[] =>
      unwrap(argv, input).map((each) => {
        if (!('name' in each)) return each
        const isForkingItself =
          command.functions.includes(each.name) && (command.isInPipe || command.isBackground)
        return { ...plain, ...each, isForkingItself }
      }),
    ),
  ]
}

/** What a command reads, as far as it stands in the text: from a here-document, or from an `echo` before it in a pipe. */
function inputOf(
  { input, pipedFrom, redirects }: SimpleCommand,
  variables: Variables,
): string[] | 'file' | undefined {
  if (input !== undefined) return expandText(input, variables)
  if (redirects.some(({ operator }) => operator === '<')) return 'file'
  if (pipedFrom === undefined || pipedFrom === 'compound') return undefined
  const { words, input: itsOwn } = pipedFrom
  const texts = expandWords(words, variables).map((argv) => {
    const [program, ...rest] = argv.map(({ text }) => text)
    if (program === 'echo') return withNewlines(rest.filter((word) => !/^-[neE]+$/.test(word)).join(' '))
    // What stands for a value in the format is one of the other words.
    if (program === 'printf') {
      const format = rest[0]?.replaceAll(/%[sbq]/g, () => rest[1] ?? '')
      return withNewlines([format, ...rest.slice(2)].join(' '))
    }
    return program === 'cat' && itsOwn !== undefined ? expandText(itsOwn, variables).join('\n') : undefined
  })
  return texts.every((text) => text !== undefined) ? texts : undefined
}

function withNewlines(text: string): string {
  return text.replaceAll('\\n', '\n')
}
