import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** SIDE-05: 10 MB, and 30 files. */
export type LogSizes = { bytes: number; files: number }

export type LogFile = { readonly path: string; write(piece: string | Uint8Array): void; close(): void }

/**
 * A file that is kept small: at its largest it becomes NAME.1 and a new one begins, and so many are kept. Written at once
 * and in order, so that the last words before a crash are there. A full disk must not stop what only reports.
 */
export function openLogFile(
  directory: string,
  name: string,
  { bytes: largest, files: kept }: LogSizes,
): LogFile {
  const path = join(directory, `${name}.log`)
  let file: number | undefined = openSync(path, 'a', 0o600)
  let size = fstatSync(file).size

  const rotate = (open: number) => {
    closeSync(open)
    rmSync(`${path}.${kept - 1}`, { force: true })
    for (let age = kept - 2; age >= 1; age--) moveIfThere(`${path}.${age}`, `${path}.${age + 1}`)
    moveIfThere(path, `${path}.1`)
    size = 0
    return openSync(path, 'a', 0o600)
  }
  return {
    path,
    write(piece) {
      if (file === undefined) return
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
      try {
        if (size > 0 && size + bytes.length > largest) file = rotate(file)
        writeSync(file, bytes)
        size += bytes.length
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      }
    },
    close() {
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}
