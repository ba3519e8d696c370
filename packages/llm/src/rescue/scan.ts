import type { Reading, WrittenCall } from './block.ts'
import { readBlocks } from './blocks.ts'
import { toolCallTag } from './tag-block.ts'

/**
 * Where in an answer we are. The text is read from the front and given free as soon as it is sure that it is no call.
 *
 * A text is a call of the answer's own only if all of this holds; everything else stays text:
 * - it begins a line, or is a `<tool_call>` that no quotation mark stands before; it is in no code fence, no quotation
 *   (`>`), no `inline code`, and indented by at most three blanks;
 * - behind it comes nothing but further calls: who goes on talking talks about calls. From then on nothing in this
 *   answer is a call;
 * - it names a tool that this request offered;
 * - no user and no tool wrote the same before (`echo.ts`).
 */
export type Place = {
  lineStart: boolean
  /** Of this line: backticks so far, and whether it is a quotation. */
  ticks: number
  quoted: boolean
  /** The fence that is open. */
  fence: string | undefined
  talked: boolean
}

export const beginning: Place = { lineStart: true, ticks: 0, quoted: false, fence: undefined, talked: false }

/** `free` characters are sure to be text. `calls`: the rest is calls to its end. Neither: more is needed. */
export type Step = { free: number; place: Place; calls?: WrittenCall[]; waits: boolean }

/** One step from the front of `text`: a line, a part of one, or what may be a call. */
export function step(text: string, place: Place, reading: Reading): Step {
  if (text === '') return { free: 0, place, waits: true }
  if (place.talked) return { free: text.length, place, waits: true }
  if (place.fence !== undefined) return inFence(text, place, place.fence, reading)
  return place.lineStart ? atLineStart(text, place, reading) : inLine(text, place, reading)
}

function atLineStart(text: string, place: Place, reading: Reading): Step {
  const blankLines = /^\s*\n/.exec(text)?.[0].length
  if (blankLines !== undefined) return { free: blankLines, place, waits: false }
  const indent = /^ {0,3}/.exec(text)?.[0].length ?? 0
  if (indent === text.length) return { free: reading.final ? indent : 0, place, waits: true }
  const found = atBlocks(text, indent, place, reading)
  if (found) return found
  const fence = /^ {0,3}(`{3,}|~{3,})/.exec(text)?.[1]
  if (fence !== undefined) return openFence(text, place, fence, reading)
  if (!reading.final && /^ {0,3}(`{1,2}|~{1,2})$/.test(text)) return { free: 0, place, waits: true }
  return inLine(text, { ...place, lineStart: false, quoted: text[indent] === '>' }, reading)
}

function openFence(text: string, place: Place, fence: string, reading: Reading): Step {
  const end = text.indexOf('\n')
  if (end < 0) return { free: reading.final ? text.length : 0, place, waits: true }
  return { free: end + 1, place: { ...place, lineStart: true, fence }, waits: false }
}

/** Calls at `at`, or what may become them; undefined when it is sure that there are none. */
function atBlocks(text: string, at: number, place: Place, reading: Reading): Step | undefined {
  const blocks = readBlocks(text, at, reading)
  switch (blocks.is) {
    case 'calls':
      return { free: at, place, calls: blocks.calls, waits: true }
    case 'open':
      return { free: at, place, waits: true }
    case 'talked':
      return { free: blocks.end, place: { ...place, talked: true }, waits: false }
    case 'no':
      return undefined
  }
}

function inLine(text: string, place: Place, reading: Reading): Step {
  const lineEnd = text.indexOf('\n')
  const line = lineEnd < 0 ? text : text.slice(0, lineEnd + 1)
  for (let at = line.indexOf('<'); at >= 0; at = line.indexOf('<', at + 1)) {
    const isTag =
      line.startsWith(toolCallTag, at) ||
      (at + toolCallTag.length > line.length && toolCallTag.startsWith(line.slice(at)))
    if (!isTag || isQuoted(line, at, place)) continue
    const found = atBlocks(text, at, place, reading)
    if (found)
      return found.free > 0 ? { ...found, place: after(text.slice(0, found.free), found.place) } : found
  }
  const next = lineEnd < 0 ? after(line, place) : { ...place, lineStart: true, ticks: 0, quoted: false }
  return { free: line.length, place: next, waits: lineEnd < 0 }
}

const after = (passed: string, place: Place): Place => ({
  ...place,
  lineStart: false,
  ticks: place.ticks + passed.split('`').length - 1,
})

function isQuoted(line: string, at: number, place: Place): boolean {
  const before = line.slice(0, at)
  const ticks = place.ticks + before.split('`').length - 1
  return place.quoted || ticks % 2 === 1 || /["'“‘«(]$/.test(before)
}

/** Only its closing line is looked for. */
function inFence(text: string, place: Place, fence: string, reading: Reading): Step {
  const end = text.indexOf('\n')
  const line = end < 0 ? text : text.slice(0, end)
  if (end < 0) {
    const mayClose = place.lineStart && /^ {0,3}[`~]*\s*$/.test(line) && !reading.final
    return { free: mayClose ? 0 : line.length, place: { ...place, lineStart: mayClose }, waits: true }
  }
  const mark = place.lineStart ? /^ {0,3}(`{3,}|~{3,})\s*$/.exec(line)?.[1] : undefined
  const closes = mark !== undefined && mark[0] === fence[0] && mark.length >= fence.length
  return {
    free: end + 1,
    place: { ...place, lineStart: true, fence: closes ? undefined : fence },
    waits: false,
  }
}
