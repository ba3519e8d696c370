import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import type { Place } from './place.ts'
import { Refusal } from './refusal.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/** How far a file is looked into to see whether it is text (TOOL-06). */
export const probeBytes = 8 * 1024

/** A regular file, opened for reading. A pipe would wait for ever and a device has no end. */
export function withFile<T>(place: Place, use: (fd: number, stats: Stats) => T): T {
  const fd = openSync(place.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stats = fstatSync(fd)
    if (stats.isDirectory()) {
      throw new Refusal(
        'IS_DIRECTORY',
        `${place.shown} is a folder. Use list_directory to see what is in it.`,
      )
    }
    if (!stats.isFile()) throw new Refusal('NOT_A_FILE', `${place.shown} is neither a file nor a folder.`)
    return use(fd, stats)
  } finally {
    closeSync(fd)
  }
}

export function refuseBinary(start: Buffer, place: Place, size: number): void {
  if (!isBinary(start)) return
  throw new Refusal('BINARY_FILE', `${place.shown} is a binary file of ${size} bytes, not text.`, {
    size_bytes: size,
  })
}

export function isBinary(start: Buffer): boolean {
  return start.subarray(0, probeBytes).includes(0)
}

/** At most `limit` bytes; a file that shrinks meanwhile gives less. */
export function readUpTo(fd: number, limit: number): Buffer {
  const buffer = Buffer.allocUnsafe(limit)
  let length = 0
  for (;;) {
    const got = readSync(fd, buffer, length, limit - length, null)
    length += got
    if (got === 0 || length === limit) return buffer.subarray(0, length)
  }
}
