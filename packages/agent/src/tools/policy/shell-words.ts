import { ansiText } from './ansi-quotes.ts'
import { deeper, newReader, takeStep, Unreadable, type Part, type Reader, type Word } from './shell-script.ts'

/** Reads commands up to `)` or the end; the parser's, handed in because words hold commands and commands hold words. */
export type ReadCommands = (reader: Reader, end: ')' | '') => void

const endOfWord = /[\s;&|<>()]/

/** One word, with the quotes taken off and the substitutions in it read. It may be empty only where nothing stands. */
export function readWord(reader: Reader, commands: ReadCommands): Word {
  const word: Word = []
  for (;;) {
    const letter = reader.text[reader.at]
    if (letter === undefined) return word
    if ((letter === '<' || letter === '>') && reader.text[reader.at + 1] === '(') {
      reader.at += 2
      substitution(reader, commands)
      word.push({ kind: 'unknown', quoted: true })
    } else if (letter === '(' && isExtendedGlob(reader, word)) {
      addText(word, readGlobGroup(reader), false)
    } else if (endOfWord.test(letter)) return word
    else readPiece(reader, word, commands)
  }
}

function readPiece(reader: Reader, word: Word, commands: ReadCommands): void {
  takeStep(reader)
  const letter = reader.text[reader.at] as string
  if (letter === '\\') {
    const next = reader.text[reader.at + 1]
    reader.at += 2
    if (next !== '\n') addText(word, next ?? '\\', true)
  } else if (letter === "'") {
    const end = reader.text.indexOf("'", reader.at + 1)
    if (end === -1) throw new Unreadable('a single quote is not closed')
    addText(word, reader.text.slice(reader.at + 1, end), true)
    reader.at = end + 1
  } else if (letter === '"') {
    reader.at += 1
    word.push({ kind: 'text', text: '', quoted: true })
    readQuoted(reader, word, '"', commands)
  } else if (letter === '`') readBackticks(reader, word, false, commands)
  else if (letter === '$') readDollar(reader, word, false, commands)
  else {
    addText(word, letter, false)
    reader.at += 1
  }
}

/** Up to the closing quote, which is passed; with `end` empty, up to the end of the text, as in a here-document. */
export function readQuoted(reader: Reader, word: Word, end: '"' | '', commands: ReadCommands): void {
  for (;;) {
    takeStep(reader)
    const letter = reader.text[reader.at]
    if (letter === undefined) {
      if (end === '') return
      throw new Unreadable('a double quote is not closed')
    }
    if (letter === end) {
      reader.at += 1
      return
    }
    if (letter === '\\') {
      const next = reader.text[reader.at + 1] ?? ''
      reader.at += 2
      if (next !== '\n') addText(word, '$`"\\'.includes(next) && next !== '' ? next : `\\${next}`, true)
    } else if (letter === '`') readBackticks(reader, word, true, commands)
    else if (letter === '$') readDollar(reader, word, true, commands)
    else {
      addText(word, letter, true)
      reader.at += 1
    }
  }
}

function readBackticks(reader: Reader, word: Word, quoted: boolean, commands: ReadCommands): void {
  let inner = ''
  for (reader.at += 1; reader.text[reader.at] !== '`'; reader.at += 1) {
    const letter = reader.text[reader.at]
    if (letter === undefined) throw new Unreadable('a backtick is not closed')
    const next = reader.text[reader.at + 1]
    if (letter === '\\' && next !== undefined && '`\\$'.includes(next)) {
      inner += next
      reader.at += 1
    } else inner += letter
  }
  reader.at += 1
  const own = newReader(inner, reader)
  deeper(own, () => commands(own, ''))
  word.push({ kind: 'unknown', quoted })
}

function substitution(reader: Reader, commands: ReadCommands): void {
  deeper(reader, () => commands(reader, ')'))
}

function readDollar(reader: Reader, word: Word, quoted: boolean, commands: ReadCommands): void {
  const rest = reader.text.slice(reader.at + 1, reader.at + 3)
  if (rest[0] === "'" && !quoted) {
    const { text, end } = ansiText(reader.text, reader.at + 2)
    addText(word, text, true)
    reader.at = end
  } else if (rest[0] === '"' && !quoted) reader.at += 1
  else if (rest === '((' && deeper(reader, () => readArithmetic(reader, 3, commands)))
    word.push({ kind: 'unknown', quoted })
  else if (rest[0] === '(') {
    reader.at += 2
    substitution(reader, commands)
    word.push({ kind: 'unknown', quoted })
  } else if (rest[0] === '{') deeper(reader, () => readBraced(reader, word, quoted, commands))
  else {
    const [name] =
      /^(?:[A-Za-z_]\w*|[0-9@*#?!$-])/.exec(reader.text.slice(reader.at + 1, reader.at + 200)) ?? []
    if (name === undefined) addText(word, '$', quoted)
    else word.push({ kind: 'variable', name, quoted })
    reader.at += 1 + (name?.length ?? 0)
  }
}

/**
 * Passes over arithmetic whose opening takes `opening` letters, reading the substitutions in it. False, and nothing has
 * happened, when it is a subshell in a substitution after all.
 */
export function readArithmetic(reader: Reader, opening: number, commands: ReadCommands): boolean {
  const before = { at: reader.at, commands: reader.script.commands.length }
  reader.at += opening
  for (let depth = 0; ;) {
    const letter = reader.text[reader.at]
    if (letter === ')' && depth === 0) {
      if (reader.text[reader.at + 1] === ')') {
        reader.at += 2
        return true
      }
      break
    }
    if (letter === undefined) throw new Unreadable('a parenthesis is not closed')
    if (letter === '(') depth += 1
    if (letter === ')') depth -= 1
    if (letter === '(' || letter === ')') reader.at += 1
    else readPiece(reader, [], commands)
  }
  reader.at = before.at
  reader.script.commands.length = before.commands
  return false
}

/** `${…}`: which variable it is, and what it may be instead. */
function readBraced(reader: Reader, word: Word, quoted: boolean, commands: ReadCommands): void {
  reader.at += 2
  const [name = ''] =
    /^(?:[A-Za-z_]\w*|[0-9@*#?!$-])/.exec(reader.text.slice(reader.at, reader.at + 200)) ?? []
  reader.at += name.length
  const [operator = ''] = /^:?[-=?]/.exec(reader.text.slice(reader.at, reader.at + 2)) ?? []
  reader.at += operator.length
  const rest: Word = []
  while (reader.text[reader.at] !== '}') {
    if (reader.at >= reader.text.length) throw new Unreadable('a ${ is not closed')
    readPiece(reader, rest, commands)
  }
  reader.at += 1
  const isPlain = name !== '' && (operator !== '' || rest.length === 0)
  if (!isPlain) word.push({ kind: 'unknown', quoted })
  else if (/[-=]/.test(operator)) word.push({ kind: 'variable', name, quoted, fallback: rest })
  else word.push({ kind: 'variable', name, quoted })
}

function isExtendedGlob(reader: Reader, word: Word): boolean {
  const last = word.at(-1)
  return (
    last?.kind === 'text' && !last.quoted && /[?*+@!]$/.test(last.text) && reader.text[reader.at + 1] !== ')'
  )
}

function readGlobGroup(reader: Reader): string {
  const end = reader.text.indexOf(')', reader.at)
  if (end === -1) throw new Unreadable('a parenthesis is not closed')
  const group = reader.text.slice(reader.at, end + 1)
  if (/[$`]/.test(group)) throw new Unreadable('a substitution stands in a pattern')
  reader.at = end + 1
  return group
}

export function addText(word: Word, text: string, quoted: boolean): void {
  const last: Part | undefined = word.at(-1)
  if (last?.kind === 'text' && last.quoted === quoted) last.text += text
  else word.push({ kind: 'text', text, quoted })
}
