import { KnownFailure } from './faults.ts'
import { maxLineBytes, maxStreamBytes } from './limits.ts'

/** The lines of a stream, without their ends, within bounds: what a server sends is not held without limit. */
export async function* readLines(
  body: ReadableStream<Uint8Array>,
  bounds = { line: maxLineBytes, stream: maxStreamBytes },
): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let line: string[] = []
  let lineLength = 0
  let read = 0
  const add = (piece: string): void => {
    lineLength += piece.length
    if (lineLength > bounds.line) throw tooMuch(`a line of more than ${bounds.line}`)
    line.push(piece)
  }
  const take = (): string => {
    const whole = line.join('')
    line = []
    lineLength = 0
    return whole.endsWith('\r') ? whole.slice(0, -1) : whole
  }
  for await (const chunk of body) {
    read += chunk.length
    if (read > bounds.stream) throw tooMuch(`more than ${bounds.stream}`)
    const pieces = decoder.decode(chunk, { stream: true }).split('\n')
    for (const piece of pieces.slice(0, -1)) {
      add(piece)
      yield take()
    }
    add(pieces.at(-1) ?? '')
  }
  add(decoder.decode())
  const rest = take()
  if (rest !== '') yield rest
}

/** It was answering, so it is an answer that was cut off, even if nothing of it could be read yet. */
const tooMuch = (what: string) => new KnownFailure('cut_off', `The server sent ${what} bytes.`)
