import {
  addCommand,
  assign,
  deeper,
  emptyCommand,
  newReader,
  takeStep,
  Unreadable,
  type Reader,
  type Script,
  type SimpleCommand,
  type Word,
} from './shell-script.ts'
import { readArithmetic, readQuoted, readWord } from './shell-words.ts'

/** Every simple command of a shell text, those in substitutions and here-documents included. Throws `Unreadable`. */
export function parseShell(text: string): Script {
  const reader = newReader(text.replaceAll('\r\n', '\n'))
  readCommands(reader, '')
  return reader.script
}

type Flow = {
  before: SimpleCommand | 'compound' | undefined
  last: SimpleCommand | 'compound' | undefined
  cases: number
}

function readCommands(reader: Reader, end: ')' | ''): void {
  const flow: Flow = { before: undefined, last: undefined, cases: 0 }
  for (;;) {
    takeStep(reader)
    skipBlanks(reader)
    const letter = reader.text[reader.at]
    if (letter === undefined) {
      if (end === ')') throw new Unreadable('a parenthesis is not closed')
      break
    }
    if (letter === ')') {
      if (end !== ')') throw new Unreadable('a parenthesis is closed that was not opened')
      reader.at += 1
      break
    }
    if (letter === '\n' || ';&|'.includes(letter)) readSeparator(reader, flow)
    else if (letter === '(') {
      if (!(reader.text[reader.at + 1] === '(' && readArithmetic(reader, 2, readCommands)))
        readSubshell(reader)
      flow.last = 'compound'
    } else readSimple(reader, flow)
  }
  if (end === '') readHeredocs(reader)
}

function skipBlanks(reader: Reader): void {
  const blanks = /(?:[ \t]|\\\n)*/y
  blanks.lastIndex = reader.at
  reader.at += blanks.exec(reader.text)?.[0].length ?? 0
  if (reader.text[reader.at] !== '#') return
  const end = reader.text.indexOf('\n', reader.at)
  reader.at = end === -1 ? reader.text.length : end
}

function readSeparator(reader: Reader, flow: Flow): void {
  const [operator = ''] =
    /^(?:;;&|;;|;&|&&|\|\||\|&|[;&|\n])/.exec(reader.text.slice(reader.at, reader.at + 3)) ?? []
  reader.at += operator.length
  const { last } = flow
  flow.last = undefined
  flow.before = undefined
  if (operator === '\n') readHeredocs(reader)
  else if (operator.startsWith(';') && operator.length > 1 && flow.cases > 0) readPattern(reader, flow)
  else if (operator === '|' || operator === '|&') {
    flow.before = last ?? 'compound'
    if (typeof last === 'object') last.isInPipe = true
  } else if (operator === '&' && typeof last === 'object') last.isBackground = true
}

function readSubshell(reader: Reader): void {
  const { functions } = reader
  reader.at += 1
  enterBody(reader)
  deeper(reader, () => readCommands(reader, ')'))
  reader.functions = functions
}

/** A group, or the body of the function whose name was just read. */
function enterBody(reader: Reader): void {
  reader.functions = [...reader.functions, reader.named]
  reader.named = ''
}

const openers = new Set(['if', 'then', 'elif', 'else', 'while', 'until', 'do', '!', '{', 'coproc'])
const closers = new Set(['fi', 'done', '}', 'esac'])

/** A simple command, or the part of a compound one up to where the next command may stand. */
function readSimple(reader: Reader, flow: Flow): void {
  const command = emptyCommand(reader.functions)
  command.pipedFrom = flow.before
  command.isInPipe = flow.before !== undefined
  let isFirst = true
  for (;;) {
    skipBlanks(reader)
    const letter = reader.text[reader.at]
    if (letter === undefined || /[\n;|)]/.test(letter)) break
    if (letter === '&' && !reader.text.startsWith('&>', reader.at)) break
    if (readRedirect(reader, command)) {
      isFirst = false
      continue
    }
    const from = reader.at
    const word = readWord(reader, readCommands)
    if (word.length === 0) {
      if (letter !== '(') throw new Unreadable(`"${letter}" stands where no word can`)
      readParenthesis(reader, command)
      if (command.words.length === 0) return
      continue
    }
    if (isFirst && readKeyword(reader, flow, plainText(word))) return
    isFirst = false
    if (command.words.length > 0 || !readAssignment(reader, command, word)) command.words.push(word)
    if (reader.at === from) throw new Unreadable('it cannot be read')
  }
  flow.last = command
  addCommand(reader, command)
}

/** `name()` begins a function, `NAME=(` a list. */
function readParenthesis(reader: Reader, command: SimpleCommand): void {
  const last = command.assignments.at(-1)
  const isList = command.words.length === 0 && last !== undefined && last.value.length === 0
  const [empty] = /^\(\s*\)/.exec(reader.text.slice(reader.at, reader.at + 100)) ?? []
  if (isList) {
    for (reader.at += 1; ;) {
      const [blank = ''] = /^(?:\s|#.*)*/.exec(reader.text.slice(reader.at)) ?? []
      reader.at += blank.length
      if (reader.text[reader.at] === ')') break
      const word = readWord(reader, readCommands)
      if (word.length === 0) throw new Unreadable('a list is not closed')
      assign(reader, last.name, word)
    }
    reader.at += 1
    return
  }
  const [name] = command.words
  if (empty === undefined || command.words.length !== 1)
    throw new Unreadable('a parenthesis stands where none can')
  reader.at += empty.length
  reader.named = plainText(name as Word) ?? ''
  command.words = []
}

/** True: it was a word of the language, and what follows is another command or the end of one. */
function readKeyword(reader: Reader, flow: Flow, word: string | undefined): boolean {
  if (word === undefined) return false
  if (word === '{') enterBody(reader)
  if (openers.has(word)) return true
  if (closers.has(word)) {
    if (word === '}') reader.functions = reader.functions.slice(0, -1)
    if (word === 'esac') flow.cases -= 1
    flow.last = 'compound'
    return true
  }
  if (word === 'for' || word === 'select') readFor(reader)
  else if (word === 'case') {
    skipBlanks(reader)
    readWord(reader, readCommands)
    if (readBareWord(reader) !== 'in') throw new Unreadable('a case has no "in"')
    flow.cases += 1
    readPattern(reader, flow)
  } else if (word === 'function') {
    reader.named = readBareWord(reader) ?? ''
    const [empty = ''] = /^[ \t]*\(\s*\)/.exec(reader.text.slice(reader.at, reader.at + 100)) ?? []
    reader.at += empty.length
  } else if (word === '[[') readCondition(reader)
  else return false
  return true
}

function readBareWord(reader: Reader): string | undefined {
  reader.at += /^\s*/.exec(reader.text.slice(reader.at))?.[0].length ?? 0
  return plainText(readWord(reader, readCommands))
}

function readFor(reader: Reader): void {
  skipBlanks(reader)
  if (reader.text.startsWith('((', reader.at)) {
    if (!readArithmetic(reader, 2, readCommands)) throw new Unreadable('a for cannot be read')
    return
  }
  const name = readBareWord(reader) ?? ''
  const before = reader.at
  if (readBareWord(reader) !== 'in') {
    reader.at = before
    return assign(reader, name, undefined)
  }
  for (;;) {
    skipBlanks(reader)
    const word = readWord(reader, readCommands)
    if (word.length === 0) return
    assign(reader, name, word)
  }
}

/** `a|b)` of a case, or its end. */
function readPattern(reader: Reader, flow: Flow): void {
  for (;;) {
    reader.at += /^(?:\s|\\\n)*/.exec(reader.text.slice(reader.at))?.[0].length ?? 0
    skipBlanks(reader)
    const letter = reader.text[reader.at]
    if (letter === undefined) throw new Unreadable('a case is not closed')
    if (letter === '\n' || letter === '|' || letter === '(') reader.at += 1
    else if (letter === ')') {
      reader.at += 1
      return
    } else {
      const word = readWord(reader, readCommands)
      if (word.length === 0) throw new Unreadable('a case cannot be read')
      if (plainText(word) === 'esac') {
        flow.cases -= 1
        flow.last = 'compound'
        return
      }
    }
  }
}

/** `[[ … ]]`, in which the signs mean something else. */
function readCondition(reader: Reader): void {
  for (;;) {
    skipBlanks(reader)
    if (reader.at >= reader.text.length) throw new Unreadable('a [[ is not closed')
    const word = readWord(reader, readCommands)
    if (word.length === 0) reader.at += 1
    else if (plainText(word) === ']]') return
  }
}

const redirection = /^(?:\d+|\{\w+\})?(&>>?|<<<|<<-?|<>|<&|>&|>>|>\||<(?!\()|>(?!\())/

function readRedirect(reader: Reader, command: SimpleCommand): boolean {
  const [whole, operator] = redirection.exec(reader.text.slice(reader.at, reader.at + 40)) ?? []
  if (whole === undefined || operator === undefined) return false
  reader.at += whole.length
  skipBlanks(reader)
  const target = readWord(reader, readCommands)
  if (target.length === 0) throw new Unreadable(`nothing follows ${operator}`)
  if (operator === '<<<') command.input = target
  else if (operator === '<<' || operator === '<<-') {
    const isQuoted = target.some((part) => part.kind !== 'text' || part.quoted)
    const delimiter = target.map((part) => (part.kind === 'text' ? part.text : '')).join('')
    reader.heredocs.push({ command, delimiter, isQuoted, isIndented: operator === '<<-' })
  } else command.redirects.push({ operator, target })
  return true
}

/** The bodies stand after the line that asked for them. */
function readHeredocs(reader: Reader): void {
  for (const { command, delimiter, isQuoted, isIndented } of reader.heredocs.splice(0)) {
    let body = ''
    for (;;) {
      if (reader.at >= reader.text.length) break
      const end = reader.text.indexOf('\n', reader.at)
      const raw = reader.text.slice(reader.at, end === -1 ? reader.text.length : end)
      reader.at = end === -1 ? reader.text.length : end + 1
      const line = isIndented ? raw.replace(/^\t+/, '') : raw
      if (line === delimiter) break
      body += `${line}\n`
    }
    const input: Word = []
    if (isQuoted) input.push({ kind: 'text', text: body, quoted: true })
    else readBody(newReader(body, reader), input)
    command.input = input
  }
}

function readBody(reader: Reader, input: Word): void {
  deeper(reader, () => readQuoted(reader, input, '', readCommands))
}

function readAssignment(reader: Reader, command: SimpleCommand, word: Word): boolean {
  const [first, ...rest] = word
  if (first?.kind !== 'text' || first.quoted) return false
  const [whole, name] = /^([A-Za-z_]\w*)(?:\[[^\]]*\])?\+?=/.exec(first.text) ?? []
  if (whole === undefined || name === undefined) return false
  const text = first.text.slice(whole.length)
  const value: Word = text === '' ? rest : [{ kind: 'text', text, quoted: false }, ...rest]
  command.assignments.push({ name, value })
  assign(reader, name, value)
  return true
}

/** The word when it stands there as it is, without quotes and substitutions. */
function plainText(word: Word): string | undefined {
  const [part, ...more] = word
  return part?.kind === 'text' && !part.quoted && more.length === 0 ? part.text : undefined
}
