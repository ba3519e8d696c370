import { type Block, no, open, type Reading, skipBlanks, stands } from './block.ts'
import { brokenCall, callsOf } from './call-object.ts'
import { readFunctionXml } from './function-xml.ts'
import { endOfJson } from './json-text.ts'

export const toolCallTag = '<tool_call>'
const closingTag = '</tool_call>'

/** `<tool_call>{"name": …, "arguments": {…}}</tool_call>` (Hermes, Qwen), or a function in XML inside (Qwen coder). */
export function readTagBlock(text: string, at: number, reading: Reading): Block {
  const tag = stands(toolCallTag, text, at)
  if (tag !== 'yes') return tag === 'maybe' && !reading.final ? open : no
  const body = skipBlanks(text, at + toolCallTag.length)
  if (body === text.length) return reading.final ? no : open
  if (text[body] === '{' || text[body] === '[') return closed(text, readJson(text, body, reading), reading)
  return closed(text, readFunctionXml(text, body, reading), reading)
}

function readJson(text: string, at: number, reading: Reading): Block {
  const end = endOfJson(text, at, reading.effort)
  if (end === 'no') return no
  if (end === 'open') return reading.final ? brokenToTheEnd(text, at, reading) : open
  const calls = callsOf(text.slice(at, end), 'tool_call_json', reading)
  return calls ? { is: 'calls', calls, end: skipBraces(text, end) } : no
}

/** One brace too many is what small models write most often when they nest objects. */
function skipBraces(text: string, from: number): number {
  let at = from
  while (at < text.length && /[\s}]/.test(text[at] ?? '')) at++
  return at
}

function brokenToTheEnd(text: string, at: number, reading: Reading): Block {
  const close = text.lastIndexOf(closingTag)
  const end = close > at ? close : text.length
  const problem = close > at ? 'it is not balanced' : 'it ends too early'
  const calls = brokenCall(text.slice(at, end), 'tool_call_json', reading.offered, problem)
  return calls ? { is: 'calls', calls, end } : no
}

/** The closing tag is often forgotten; then the next call or the end of the answer closes. */
function closed(text: string, block: Block, reading: Reading): Block {
  if (block.is !== 'calls') return block
  const at = skipBlanks(text, block.end)
  const tag = stands(closingTag, text, at)
  if (tag === 'yes') return { ...block, end: at + closingTag.length }
  if (tag === 'maybe' && !reading.final) return open
  if (at === text.length || stands(toolCallTag, text, at) !== 'no') return block
  return no
}
