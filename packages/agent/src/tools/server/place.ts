import { closeSync, constants, lstatSync, mkdirSync, openSync, readlinkSync, realpathSync } from 'node:fs'
import { posix } from 'node:path'
import { asRefusal, Refusal } from './refusal.ts'

/**
 * Where a path of a call leads. It is resolved, checked and then held by a descriptor of its folder, so that a link which
 * is put into the path after the check leads nowhere: what is opened is the last name in the folder that was looked at.
 */
export type Place = {
  /** A path to the last component that no link can bend any more; of the folder itself for the workspace. */
  path: string
  /** As people write it, from the workspace. */
  shown: string
  close(): void
}

/** Node does not name them; the values are the same on x86-64 and arm64 but for O_DIRECTORY, which it does name. */
const O_PATH = 0o10000000
const { O_DIRECTORY, O_NOFOLLOW } = constants

/** PATH_MAX. */
const maxPathChars = 4_096

const isInside = (root: string, path: string): boolean => path === root || path.startsWith(`${root}/`)

export function createPlaces(root: string) {
  function hold(dir: string, shown: string): number {
    const fd = openSync(dir, O_PATH | O_DIRECTORY)
    // Between the look and the opening a part of the path may have become a link.
    if (readlinkSync(`/proc/self/fd/${fd}`) === dir) return fd
    closeSync(fd)
    throw new Refusal('SYMLINK_OUTSIDE_WORKSPACE', `${shown} changed while it was looked at.`)
  }

  function place(real: string, shown: string): Place {
    const fd = hold(real === root ? root : posix.dirname(real), shown)
    const folder = `/proc/self/fd/${fd}`
    const path = real === root ? folder : `${folder}/${posix.basename(real)}`
    return { path, shown, close: () => closeSync(fd) }
  }

  return {
    /** Something that is there. */
    existing<T>(path: string, use: (place: Place) => T): T {
      return inWords(path, () => {
        const { real, missing, shown } = resolve(root, path)
        if (missing.length > 0) throw new Refusal('NOT_FOUND', `There is no file or folder ${shown}.`)
        return within(place(real, shown), use)
      })
    },

    /** A file that is there or not, in folders that are made when they are missing. */
    writable<T>(path: string, use: (place: Place) => T): T {
      return inWords(path, () => {
        const { real, missing, shown } = resolve(root, path)
        refuseProtected(root, posix.join(real, ...missing), shown)
        if (missing.length === 0) return within(place(real, shown), use)
        const fd = missing.slice(0, -1).reduce(makeFolder, hold(real, shown))
        const name = missing.at(-1) as string
        return within({ path: `/proc/self/fd/${fd}/${name}`, shown, close: () => closeSync(fd) }, use)
      })
    },

    /** The real path of a folder, for what takes a path and not a descriptor. */
    folder(path: string): string {
      return inWords(path, () => {
        const { real, missing, shown } = resolve(root, path)
        if (missing.length > 0) throw new Refusal('NOT_FOUND', `There is no folder ${shown}.`)
        closeSync(hold(real, shown))
        return real
      })
    },
  }
}

export type Places = ReturnType<typeof createPlaces>

/** The real path of what is there, and the names after it that are not. */
function resolve(root: string, path: string): { real: string; missing: string[]; shown: string } {
  if (path.includes('\0') || path.length > maxPathChars) {
    throw new Refusal('INVALID_PATH', 'The path holds a NUL character, or is longer than paths can be.')
  }
  const absolute = posix.resolve(root, path)
  if (!isInside(root, absolute)) {
    throw new Refusal(
      'PATH_OUTSIDE_WORKSPACE',
      `${path} is outside the workspace. Use a path relative to ${root}, such as src/main.js.`,
    )
  }
  const shown = posix.relative(root, absolute) || '.'
  const missing: string[] = []
  for (let at = absolute; ; at = posix.dirname(at)) {
    const real = realOf(root, at, shown)
    if (real !== undefined) {
      if (isInside(root, real)) return { real, missing, shown }
      throw outside(shown)
    }
    missing.unshift(posix.basename(at))
  }
}

/** Undefined: nothing has this name. A link that leads nowhere is not nothing: writing would go through it. */
function realOf(root: string, path: string, shown: string): string | undefined {
  try {
    return realpathSync.native(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const link = lstatSync(path, { throwIfNoEntry: false })
  if (link === undefined) return undefined
  // It is there by now.
  if (!link.isSymbolicLink()) throw new Refusal('PATH_CHANGED', `${shown} changed while it was looked at.`)
  const target = posix.resolve(posix.dirname(path), readlinkSync(path))
  if (!isInside(root, target)) throw outside(shown)
  throw new Refusal('NOT_FOUND', `${shown} is a symbolic link to ${target}, which does not exist.`)
}

function outside(shown: string): Refusal {
  return new Refusal(
    'SYMLINK_OUTSIDE_WORKSPACE',
    `${shown} leads through a symbolic link out of the workspace. Only files of the workspace can be used.`,
  )
}

function makeFolder(parent: number, name: string): number {
  const path = `/proc/self/fd/${parent}/${name}`
  try {
    mkdirSync(path)
    return openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)
  } finally {
    closeSync(parent)
  }
}

function refuseProtected(root: string, whole: string, shown: string): void {
  if (whole === root) throw new Refusal('IS_DIRECTORY', 'This is the workspace itself, not a file.')
  if (!posix.relative(root, whole).toLowerCase().split('/').includes('.git')) return
  throw new Refusal(
    'PATH_PROTECTED',
    `${shown} belongs to git. Change it with git commands, never by writing files.`,
  )
}

function inWords<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw asRefusal(error, path)
  }
}

function within<T>(place: Place, use: (place: Place) => T): T {
  try {
    return use(place)
  } finally {
    place.close()
  }
}
