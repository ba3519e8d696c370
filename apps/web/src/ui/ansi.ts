/**
 * Terminal output as pieces of text with class names. Colours and weight are kept; every other escape sequence
 * (cursor movement, titles, hyperlinks, queries) is dropped, so output can neither draw over the page nor make
 * a link of itself.
 */
export type AnsiStyle = { colour: string; bold: boolean; dim: boolean; italic: boolean; underline: boolean }
export type AnsiPiece = { text: string; className: string }

export const plainStyle: AnsiStyle = { colour: '', bold: false, dim: false, italic: false, underline: false }

const colours = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']

const sequences = new RegExp(
  [
    String.raw`\u001b\[([0-9;:?<=>!]*)[ -/]*([@-~])`, // CSI, the only kind that is looked into
    String.raw`\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?`, // OSC, DCS and other strings
    String.raw`\u001b[ -/]*[0-~]?`, // every other escape
    String.raw`[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]`, // stray control characters
  ].join('|'),
  'g',
)

/** Splits one line; `style` is what the lines before it left switched on, and what is left on comes back. */
export function ansiPieces(line: string, style: AnsiStyle): { pieces: AnsiPiece[]; style: AnsiStyle } {
  const pieces: AnsiPiece[] = []
  let at = 0
  let now = style
  const push = (end: number) => {
    if (end > at) pieces.push({ text: line.slice(at, end), className: classOf(now) })
  }
  for (const match of line.matchAll(sequences)) {
    push(match.index)
    if (match[2] === 'm') now = restyle(now, match[1] ?? '')
    at = match.index + match[0].length
  }
  push(line.length)
  return { pieces, style: now }
}

export function withoutAnsi(text: string): string {
  return text.replace(sequences, '')
}

function classOf(style: AnsiStyle): string {
  const names = [
    style.colour === '' ? '' : `ansi-${style.colour}`,
    style.bold ? 'ansi-bold' : '',
    style.dim ? 'ansi-dim' : '',
    style.italic ? 'ansi-italic' : '',
    style.underline ? 'ansi-underline' : '',
  ]
  return names.filter((name) => name !== '').join(' ')
}

function restyle(style: AnsiStyle, parameters: string): AnsiStyle {
  let next = style
  const codes = parameters.split(/[;:]/).map(Number)
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0
    // 256 and true colours cannot be kept readable on both themes; their parameters are skipped.
    if (code === 38 || code === 48) index += codes[index + 1] === 5 ? 2 : 4
    else next = applyCode(next, code)
  }
  return next
}

function applyCode(style: AnsiStyle, code: number): AnsiStyle {
  if (code === 0) return plainStyle
  if (code === 1) return { ...style, bold: true }
  if (code === 2) return { ...style, dim: true }
  if (code === 3) return { ...style, italic: true }
  if (code === 4) return { ...style, underline: true }
  if (code === 22) return { ...style, bold: false, dim: false }
  if (code === 23) return { ...style, italic: false }
  if (code === 24) return { ...style, underline: false }
  if (code === 39) return { ...style, colour: '' }
  const bright = code >= 90 && code <= 97
  if (bright || (code >= 30 && code <= 37))
    return { ...style, colour: colours[code - (bright ? 90 : 30)] ?? '' }
  return style
}
