// What agents, repositories and other people wrote must not drive the reader's terminal: no colour that hides words,
// no cursor that overwrites lines, no title or clipboard sequence, no text that runs backwards.

/* eslint-disable no-control-regex -- control characters are the subject */
const sequences =
  /\u001b\[[0-?]*[ -/]*[@-~]|\u009b[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]/g
const unfinished = /\u001b(?:\[[0-?]*[ -/]*|[\]PX^_][^\u0007\u001b]*|[ -/]*)$|\r$/
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
/* eslint-enable no-control-regex */

/** Several lines, safe to print: escape sequences are gone, line feeds and tabs stay, a bare return starts a line. */
export function neutralise(text: string): string {
  return text.replaceAll(sequences, '').replaceAll(/\r\n?/g, '\n').replaceAll(controls, '')
}

/** The same for one line of a table or a sentence. */
export function neutraliseLine(text: string): string {
  return neutralise(text).replaceAll(/[\n\t]+/g, ' ')
}

// A title or clipboard sequence may be long; one that is not finished by then is text that pretends.
const longestSequence = 4_096

/** For a stream that is cut anywhere: a sequence that begins in one piece and ends in the next is still found. */
export function createNeutraliser(): (piece: string) => string {
  let held = ''
  return (piece) => {
    const text = held + piece
    const tail = unfinished.exec(text)
    const cut = tail === null || text.length - tail.index > longestSequence ? text.length : tail.index
    held = text.slice(cut)
    return neutralise(text.slice(0, cut))
  }
}

/** JSON.stringify leaves C1 and direction characters alone; escaped, the document is the same and harmless. */
export function safeJson(value: unknown, indent: number | undefined): string {
  const unsafe = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
  return (JSON.stringify(value, null, indent) ?? 'null').replaceAll(
    unsafe,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u

/** Columns that a terminal uses for the text. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += /\p{Mark}/u.test(character) ? 0 : wide.test(character) ? 2 : 1
  return width
}

export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let taken = ''
  for (const character of text) {
    if (widthOf(taken + character) > columns - 1) break
    taken += character
  }
  return `${taken}…`
}

export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)))
}
