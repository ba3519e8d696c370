import { randomBytes } from 'node:crypto'
import { lstatSync, renameSync, rmSync, writeFileSync, chmodSync } from 'node:fs'
import { posix } from 'node:path'
import { readUpTo, withFile } from './file-bytes.ts'
import type { Place, Places } from './place.ts'
import { Refusal } from './refusal.ts'

export function writeFile(places: Places, { path, content }: { path: string; content: string }) {
  return places.writable(path, (place) => {
    const bytes = Buffer.from(content)
    const before = lstatSync(place.path, { throwIfNoEntry: false })
    if (before?.isDirectory()) throw new Refusal('IS_DIRECTORY', `${place.shown} is a folder, not a file.`)
    if (before !== undefined && !before.isFile()) {
      throw new Refusal('NOT_A_FILE', `${place.shown} is not a regular file.`)
    }
    const isSame =
      before?.size === bytes.length && withFile(place, (fd) => readUpTo(fd, bytes.length + 1)).equals(bytes)
    if (!isSame) replace(place, bytes, before?.mode)
    return {
      path: place.shown,
      bytes: bytes.length,
      ...(before === undefined ? { created: true } : {}),
      ...(isSame ? { unchanged: true } : {}),
    }
  })
}

/** Whoever reads the file sees the old content or the new one. The mode stays: a script remains executable. */
export function replace(place: Place, bytes: Buffer, mode: number | undefined): void {
  const temporary = posix.join(posix.dirname(place.path), `.muster-${randomBytes(6).toString('hex')}.tmp`)
  try {
    writeFileSync(temporary, bytes, { flag: 'wx', mode: 0o644 })
    if (mode !== undefined) chmodSync(temporary, mode & 0o777)
    renameSync(temporary, place.path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
