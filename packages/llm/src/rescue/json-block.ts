import { type Block, no, open, type Reading, skipBlanks, stands, type WrittenCall } from './block.ts'
import { brokenCall, callsOf } from './call-object.ts'
import { endOfJson } from './json-text.ts'

/** Words that stand before bare JSON in the dialects of Mistral and Llama. */
const marks = ['[TOOL_CALLS]', '<|python_tag|>']

/** A call as nothing but its JSON. */
export function readBareBlock(text: string, at: number, reading: Reading): Block {
  if (reading.jsonIsData) return no
  for (const mark of marks) {
    const found = stands(mark, text, at)
    if (found === 'yes') return readJson(text, skipBlanks(text, at + mark.length), 'bare_json', reading)
    if (found === 'maybe' && !reading.final) return open
  }
  return readJson(text, at, 'bare_json', reading)
}

const infos = ['json', 'tool_call', 'tool_code', 'tool', '']

/** A call as JSON in a fence that is for nothing else. */
export function readFencedBlock(text: string, at: number, reading: Reading): Block {
  if (reading.jsonIsData) return no
  const fence = stands('```', text, at)
  if (fence !== 'yes') return fence === 'maybe' && !reading.final ? open : no
  const lineEnd = text.indexOf('\n', at)
  const info = text.slice(at + 3, lineEnd < 0 ? undefined : lineEnd).trim()
  if (lineEnd < 0) return !reading.final && infos.some((known) => known.startsWith(info)) ? open : no
  if (!infos.includes(info)) return no
  return readFenceBody(text, skipBlanks(text, lineEnd), reading)
}

/** One call, or several below each other. */
function readFenceBody(text: string, from: number, reading: Reading): Block {
  const calls: WrittenCall[] = []
  let at = from
  for (;;) {
    const block = readJson(text, at, 'fenced_json', reading)
    if (block.is !== 'calls') return block
    calls.push(...block.calls)
    at = skipBlanks(text, block.end)
    if (text.startsWith('```', at)) return { is: 'calls', calls, end: at + 3 }
    if (at === text.length) return reading.final ? { is: 'calls', calls, end: at } : open
    if (stands('```', text, at) === 'maybe' && !reading.final) return open
  }
}

/** The first key tells calls from data, so that an answer in JSON is not held back until its end. */
const firstKey = /^\[?\s*\{\s*"(?:name|tool|tool_name|function|type|id|arguments|parameters|args|input)"/
const beforeFirstKey = /^\[?\s*(?:\{\s*(?:"[a-z_]{0,12})?)?$/

function readJson(text: string, at: number, dialect: 'bare_json' | 'fenced_json', reading: Reading): Block {
  if (at === text.length) return reading.final ? no : open
  if (text[at] !== '{' && text[at] !== '[') return no
  const head = text.slice(at, at + 200)
  if (!firstKey.test(head)) return beforeFirstKey.test(text.slice(at, at + 201)) && !reading.final ? open : no
  const end = endOfJson(text, at, reading.effort)
  if (end === 'no') return no
  if (end !== 'open') {
    const calls = callsOf(text.slice(at, end), dialect, reading)
    return calls ? { is: 'calls', calls, end } : no
  }
  if (!reading.final) return open
  const fence = dialect === 'fenced_json' ? text.lastIndexOf('```') : -1
  const stop = fence > at ? fence : text.length
  const calls = brokenCall(text.slice(at, stop), dialect, reading.offered, 'it ends too early')
  return calls ? { is: 'calls', calls, end: stop } : no
}
