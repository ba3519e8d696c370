import { StringDecoder } from 'node:string_decoder'

export type Collected = { text: string; droppedBytes: number }

/**
 * Keeps the first `maxBytes` of a stream as text and counts the rest, so that a command that prints a gigabyte costs
 * the reader nothing but the reading. A character cut by the end of what is kept is dropped, not mangled.
 */
export function collectOutput(maxBytes: number, onText?: (text: string) => void) {
  const decoder = new StringDecoder('utf8')
  const pieces: string[] = []
  let keptBytes = 0
  let droppedBytes = 0

  const keep = (text: string): void => {
    if (text === '') return
    pieces.push(text)
    onText?.(text)
  }

  return {
    write(chunk: Buffer): void {
      const room = chunk.subarray(0, maxBytes - keptBytes)
      keptBytes += room.length
      droppedBytes += chunk.length - room.length
      keep(decoder.write(room))
    },
    end(): Collected {
      if (droppedBytes === 0) keep(decoder.end())
      return { text: pieces.join(''), droppedBytes }
    },
  }
}
