/**
 * Where the object or list that begins at `from` ends; `open` while it has not, `no` when all effort is spent: a text of
 * nothing but beginnings would be read from each of them to its end.
 */
export function endOfJson(text: string, from: number, effort: { left: number }): number | 'open' | 'no' {
  if (effort.left <= 0) return 'no'
  const end = scan(text, from)
  effort.left -= (end ?? text.length) - from
  return end ?? 'open'
}

function scan(text: string, from: number): number | undefined {
  let depth = 0
  let inString = false
  for (let i = from; i < text.length; i++) {
    const char = text[i]
    if (inString) {
      if (char === '\\') i++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') {
      depth--
      if (depth === 0) return i + 1
    }
  }
  return undefined
}

/**
 * JSON as small models write it: line breaks stand as they are inside of strings, above all in the content of files.
 * Nothing else is guessed; what is still no JSON gets the reason that the model is told.
 */
export function parseModelJson(text: string): { value: unknown } | { problem: string } {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    try {
      return { value: JSON.parse(withEscapes(text)) }
    } catch {
      return { problem: (error as Error).message.slice(0, 200) }
    }
  }
}

function withEscapes(text: string): string {
  return text.replace(/"[^"\\]*(?:\\[^][^"\\]*)*"/g, (string) =>
    string.replace(/[\n\r\t]/g, (char) => escapes[char] ?? char),
  )
}

const escapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
