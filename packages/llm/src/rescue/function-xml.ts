import { type Block, no, open, type Reading, skipBlanks, stands } from './block.ts'

const opening = '<function='
const closing = '</function>'
const parameter = '<parameter='
const parameterEnd = '</parameter>'
const toolCallEnd = '</tool_call>'

/**
 * `<function=NAME><parameter=KEY>VALUE</parameter></function>`, as Qwen coder writes it: values stand as they are, in
 * lines of their own, and are text until the tool's schema says otherwise.
 */
export function readFunctionXml(text: string, at: number, reading: Reading): Block {
  const start = stands(opening, text, at)
  if (start !== 'yes') return start === 'maybe' && !reading.final ? open : no
  const nameEnd = text.indexOf('>', at)
  const name = text.slice(at + opening.length, nameEnd < 0 ? undefined : nameEnd)
  if (!/^[\w.-]*$/.test(name)) return no
  if (nameEnd < 0) return reading.final ? no : open
  if (!reading.offered.has(name)) return no
  const read = readParameters(text, nameEnd + 1, reading.final)
  if (read === 'open') return open
  const raw = text.slice(at, read.end)
  const call = { dialect: 'function_xml' as const, name, args: Object.fromEntries(read.values), raw }
  if (read.problem === undefined) return { is: 'calls', calls: [call], end: read.end }
  return { is: 'calls', calls: [{ ...call, args: {}, malformed: read.problem }], end: read.end }
}

/** The same without the tag around it; the tag that closes it is often written all the same. */
export function readBareFunction(text: string, at: number, reading: Reading): Block {
  const block = readFunctionXml(text, at, reading)
  if (block.is !== 'calls') return block
  const after = skipBlanks(text, block.end)
  const tag = after === text.length ? 'no' : stands(toolCallEnd, text, after)
  if (tag === 'maybe' && !reading.final) return open
  return tag === 'yes' ? { ...block, end: after + toolCallEnd.length } : block
}

type Parameters = { values: [string, string][]; end: number; problem?: string }

function readParameters(text: string, from: number, final: boolean): Parameters | 'open' {
  const values: [string, string][] = []
  let at = skipBlanks(text, from)
  for (;;) {
    if (text.startsWith(closing, at)) return { values, end: at + closing.length }
    const key = /<parameter=([^<>\n]*)>/y
    key.lastIndex = at
    const found = key.exec(text)
    if (!found) break
    const value = readValue(text, key.lastIndex, final)
    if (value === undefined) break
    values.push([found[1] ?? '', value.text])
    at = skipBlanks(text, value.next)
  }
  if (!final) return 'open'
  // Only the end of the function was forgotten.
  if (at === text.length || text.startsWith(toolCallEnd, at)) return { values, end: at }
  const end = text.lastIndexOf(closing)
  const problem = `The function must consist of ${parameter}KEY>VALUE${parameterEnd} and end with ${closing}.`
  return { values: [], end: end < at ? text.length : end + closing.length, problem }
}

/** A value may contain its own closing tag, in code that handles such text: the one that counts has a tag behind it. */
function readValue(text: string, from: number, final: boolean): { text: string; next: number } | undefined {
  const end = /<\/parameter>(?=\s*(?:<parameter=|<\/function>))/g
  end.lastIndex = from
  const found = end.exec(text) ?? (final ? forgotten(text, from) : undefined)
  if (!found) return undefined
  return { text: withoutFrame(text.slice(from, found.index)), next: found.index + found[0].length }
}

/** In an answer that has ended: the value goes up to what can only be the next tag, or its own tag is the last. */
function forgotten(text: string, from: number): { index: number; 0: string } | undefined {
  const next = /<\/parameter>(?=\s*(?:<\/tool_call>\s*)?$)|\n(?=<parameter=|<\/function>)/g
  next.lastIndex = from
  return next.exec(text) ?? undefined
}

const withoutFrame = (value: string): string => value.replace(/^\n/, '').replace(/\n$/, '')
