/**
 * Text from files, between marks that it cannot itself contain: a file that says it ends here and goes on with
 * instructions stays within.
 */
export function fence(name: string, text: string): string {
  let mark = name
  for (let at = 2; text.includes(`${mark}>`); at += 1) mark = `${name}-${at}`
  return `<${mark}>\n${text.trimEnd()}\n</${mark}>`
}

/** Its beginning and its end, at most `max` characters, with what is left out counted. */
export function headAndTail(text: string, max: number): string {
  if (text.length <= max) return text
  const marker = `\n[… ${text.length - max} characters left out …]\n`
  const room = Math.max(0, max - marker.length)
  // More of the end: runners print the summary and the failures last.
  const head = Math.floor(room / 4)
  return `${text.slice(0, head)}${marker}${text.slice(text.length - (room - head))}`.toWellFormed()
}

/** The first lines of it, at most `max` characters, with what is left out counted. */
export function firstLines(text: string, lines: number, max: number): string {
  const all = text.trimEnd().split('\n')
  const kept: string[] = []
  let length = 0
  for (const line of all.slice(0, lines)) {
    if (length + line.length + 1 > max) break
    kept.push(line)
    length += line.length + 1
  }
  const left = all.length - kept.length
  return left === 0 ? kept.join('\n') : [...kept, `[… ${left} more lines]`].join('\n')
}

/** For budgets of prompts. Prose has four characters to a token, code and paths fewer. */
export const estimatedTokens = (text: string): number => Math.ceil(text.length / 3.5)
