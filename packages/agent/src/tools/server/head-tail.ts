import { fromWholeCharacter, wholeCharacters } from './whole-characters.ts'

/**
 * Keeps the start and the end of a stream: a build says at the start what it does and at the end what failed. What is
 * between costs nothing but the reading.
 */
export function keepHeadAndTail(maxBytes: number) {
  const headBytes = Math.floor(maxBytes / 3)
  const tailBytes = maxBytes - headBytes
  const head: Buffer[] = []
  let headRoom = headBytes
  let tail: Buffer[] = []
  let tailLength = 0
  let total = 0

  return {
    add(chunk: Buffer): void {
      total += chunk.length
      const toHead = chunk.subarray(0, headRoom)
      if (toHead.length > 0) head.push(Buffer.from(toHead))
      headRoom -= toHead.length
      const rest = chunk.subarray(toHead.length)
      if (rest.length === 0) return
      tail.push(Buffer.from(rest.subarray(-tailBytes)))
      tailLength += Math.min(rest.length, tailBytes)
      // Now and then, so that a flood of single bytes is not copied for each of them.
      if (tailLength > 4 * tailBytes + 65_536 || tail.length > 1_000) {
        tail = [Buffer.concat(tail).subarray(-tailBytes)]
        tailLength = tail[0]?.length ?? 0
      }
    },
    end(): { text: string; droppedBytes: number } {
      const start = Buffer.concat(head)
      const end = Buffer.concat(tail).subarray(-tailBytes)
      const dropped = total - start.length - end.length
      if (dropped <= 0) return { text: Buffer.concat([start, end]).toString(), droppedBytes: 0 }
      const text = `${wholeCharacters(start).toString()}\n[… ${dropped} bytes left out …]\n${fromWholeCharacter(end).toString()}`
      return { text, droppedBytes: dropped }
    },
  }
}
