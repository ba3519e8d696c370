/** What one line said, read by hand: whoever lives in the wall can write to the server's standard output. */
export type Answer = {
  id: string
  success: boolean
  code: string | undefined
  error: string | undefined
  fields: Record<string, unknown>
}

/** Undefined: it is not an answer. */
export function readAnswer(line: string): Answer | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isRecord(value)) return undefined
  const { id, success, code, error, fields = {} } = value
  if (typeof id !== 'string' || typeof success !== 'boolean' || !isRecord(fields)) return undefined
  if (code !== undefined && !(typeof code === 'string' && /^[A-Z][A-Z_]{0,63}$/.test(code))) return undefined
  if (error !== undefined && typeof error !== 'string') return undefined
  return { id, success, code, error, fields }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Splits bytes into lines. A line above the bound is a flood: `onFlood` is called once, and nothing is read any more. */
export function splitLines(maxBytes: number, onLine: (line: string) => void, onFlood: () => void) {
  let pieces: Uint8Array[] = []
  let length = 0
  let isFlooded = false
  return (bytes: Uint8Array): void => {
    let from = 0
    while (!isFlooded && from < bytes.length) {
      const at = bytes.indexOf(10, from)
      const piece = bytes.subarray(from, at === -1 ? bytes.length : at)
      length += piece.length
      if (length > maxBytes) {
        isFlooded = true
        pieces = []
        return onFlood()
      }
      // Copied: the chunk is the reader's to use again.
      pieces.push(Uint8Array.from(piece))
      if (at === -1) return
      const line = Buffer.concat(pieces).toString()
      pieces = []
      length = 0
      from = at + 1
      onLine(line)
    }
  }
}
