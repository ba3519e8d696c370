import { readSync } from 'node:fs'
import { probeBytes, refuseBinary, withFile } from './file-bytes.ts'
import type { Places } from './place.ts'
import { Refusal } from './refusal.ts'
import { wholeCharacters } from './whole-characters.ts'

export type ReadFile = {
  path: string
  startLine: number
  endLine: number | undefined
  /** Of the answer. */
  maxBytes: number
}

// Lines beyond are not counted: a file like that is data, and nobody needs its number of lines.
const scanBytes = 64 * 1024 * 1024
const chunkBytes = 64 * 1024

export function readFile(places: Places, { path, startLine, endLine = Infinity, maxBytes }: ReadFile) {
  return places.existing(path, (place) =>
    withFile(place, (fd, { size }) => {
      const lines = collectLines(startLine, endLine, maxBytes)
      const chunk = Buffer.allocUnsafe(chunkBytes)
      let scanned = 0
      for (;;) {
        const length = readSync(fd, chunk, 0, scanned === 0 ? probeBytes : chunkBytes, null)
        if (scanned === 0) refuseBinary(chunk.subarray(0, length), place, size)
        if (length === 0) break
        scanned += length
        lines.add(chunk.subarray(0, length))
        if (scanned >= scanBytes) break
      }
      const { content, last, total, isCut } = lines.end()
      if (startLine > Math.max(total, 1)) {
        throw new Refusal(
          'LINE_OUT_OF_RANGE',
          `${place.shown} has ${total} lines; there is no line ${startLine}.`,
          {
            total_lines: total,
          },
        )
      }
      return {
        path: place.shown,
        content,
        start_line: startLine,
        end_line: last,
        ...(scanned >= scanBytes ? {} : { total_lines: total }),
        ...(isCut ? { truncated: true, next_start_line: last + 1 } : {}),
      }
    }),
  )
}

/** Keeps whole lines, as many as there is room for; of a first line that is longer than that, what fits. */
function collectLines(first: number, lastWanted: number, maxBytes: number) {
  const kept: Buffer[] = []
  let room = maxBytes
  let line = 1
  let isInLine = false
  /** Pieces of the line that is being read, which may come in several chunks. */
  let pieces: Buffer[] = []
  let isCut = false
  let last = first - 1

  const endLine = (): void => {
    const whole = Buffer.concat(pieces)
    pieces = []
    if (isCut || line < first || line > lastWanted) return
    if (whole.length <= room) {
      kept.push(whole)
      room -= whole.length
      last = line
      return
    }
    isCut = true
    if (kept.length > 0) return
    kept.push(wholeCharacters(whole.subarray(0, room)))
    last = line
  }

  return {
    add(chunk: Buffer): void {
      for (let from = 0; from < chunk.length;) {
        const at = chunk.indexOf(10, from)
        const to = at === -1 ? chunk.length : at + 1
        const isWanted = !isCut && line >= first && line <= lastWanted
        // One piece more than there is room for shows that the line does not fit.
        const held = pieces.reduce((sum, piece) => sum + piece.length, 0)
        if (isWanted && held <= room) pieces.push(Buffer.from(chunk.subarray(from, to)))
        isInLine = at === -1
        if (!isInLine) {
          endLine()
          line += 1
        }
        from = to
      }
    },
    end() {
      if (isInLine) endLine()
      const total = isInLine ? line : line - 1
      return { content: Buffer.concat(kept).toString(), last, total, isCut }
    },
  }
}
