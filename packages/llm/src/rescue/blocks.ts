import { type Block, no, open, type Reading, stands, type WrittenCall } from './block.ts'
import { readBareFunction } from './function-xml.ts'
import { readBareBlock, readFencedBlock } from './json-block.ts'
import { readTagBlock } from './tag-block.ts'

/** In the order in which they are tried. */
const readers = [readTagBlock, readBareFunction, readFencedBlock, readBareBlock]

/** What models write when they have finished and the server lets through. */
const endMarks = ['<|im_end|>', '<|eot_id|>', '<|eom_id|>', '<|endoftext|>', '</s>']

/** `calls` of `readBlocks` reach to the end of the text; `talked` are calls with something else behind them. */
export type Blocks = Block | { is: 'talked'; end: number }

/** All calls from `at` to the end of the text, with nothing between and behind them but blanks. */
export function readBlocks(text: string, at: number, reading: Reading): Blocks {
  if (!/[<`{[]/.test(text[at] ?? '')) return no
  const calls: WrittenCall[] = []
  let end = at
  for (;;) {
    const block = readOne(text, end, reading)
    if (block.is === 'open') return open
    if (block.is === 'no') return calls.length === 0 ? no : { is: 'talked', end }
    calls.push(...block.calls)
    const next = skipSeparators(text, block.end)
    if (next === text.length) return { is: 'calls', calls, end: next }
    if (!reading.final && endMarks.some((mark) => stands(mark, text, next) === 'maybe')) return open
    end = next
  }
}

function readOne(text: string, at: number, reading: Reading): Block {
  let result: Block = no
  for (const read of readers) {
    const block = read(text, at, reading)
    if (block.is === 'calls') return block
    if (block.is === 'open') result = open
  }
  return result
}

function skipSeparators(text: string, from: number): number {
  let at = from
  for (;;) {
    const mark = endMarks.find((candidate) => text.startsWith(candidate, at))
    if (mark !== undefined) at += mark.length
    else if (/[\s;,]/.test(text[at] ?? '')) at++
    else return at
  }
}
