import type { RescueDialect } from '../model.ts'

/** A call that stands in a text. */
export type WrittenCall = {
  dialect: RescueDialect
  name: string
  args: Record<string, unknown>
  /** As it was written, to compare it with what others wrote. */
  raw: string
  malformed?: string | undefined
}

/**
 * What begins at a place in the text. `open`: more text could still make it a call. `no` is final: no text that follows
 * makes it one, so that what was shown never has to be taken back.
 */
export type Block = { is: 'calls'; calls: WrittenCall[]; end: number } | { is: 'open' } | { is: 'no' }

export type Reading = {
  /** The names that may be called. */
  offered: ReadonlySet<string>
  /** The answer has ended: nothing follows. */
  final: boolean
  /** The answer is to be JSON by itself, so JSON is no call. */
  jsonIsData: boolean
  /** Characters of JSON that may still be read. */
  effort: { left: number }
}

export const no: Block = { is: 'no' }
export const open: Block = { is: 'open' }

/** Whether `word` stands at `at`; `maybe` where the text ends within it. */
export function stands(word: string, text: string, at: number): 'yes' | 'maybe' | 'no' {
  if (text.startsWith(word, at)) return 'yes'
  return word.startsWith(text.slice(at)) ? 'maybe' : 'no'
}

export function skipBlanks(text: string, from: number): number {
  let at = from
  while (at < text.length && /\s/.test(text[at] ?? '')) at++
  return at
}
