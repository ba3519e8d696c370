import { Unreadable } from './shell-script.ts'

const plain: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  E: '\u001b',
  f: '\f',
  v: '\v',
}

/** The text of `$'…'`, from after its quote, and where it ends. */
export function ansiText(text: string, from: number): { text: string; end: number } {
  let read = ''
  for (let at = from; at < text.length; at += 1) {
    const letter = text[at] as string
    if (letter === "'") return { text: read, end: at + 1 }
    if (letter !== '\\') {
      read += letter
      continue
    }
    const rest = text.slice(at + 1, at + 10)
    const [whole = '', hex] =
      /^x([0-9a-fA-F]{1,2})/.exec(rest) ??
      /^u([0-9a-fA-F]{1,4})/.exec(rest) ??
      /^U([0-9a-fA-F]{1,8})/.exec(rest) ??
      []
    const [octal] = /^[0-7]{1,3}/.exec(rest) ?? []
    if (hex !== undefined) read += character(Number.parseInt(hex, 16))
    else if (octal !== undefined) read += character(Number.parseInt(octal, 8))
    else if (rest[0] === 'c') read += character((rest.charCodeAt(1) || 0) & 0x1f)
    else read += plain[rest[0] ?? ''] ?? rest[0] ?? ''
    at += hex !== undefined ? whole.length : (octal?.length ?? (rest[0] === 'c' ? 2 : 1))
  }
  throw new Unreadable("a $' is not closed")
}

function character(code: number): string {
  return code > 0x10_ffff ? '' : String.fromCodePoint(code)
}
