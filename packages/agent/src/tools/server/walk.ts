import { closeSync, constants, openSync, readdirSync, type Dirent } from 'node:fs'

/** Node does not name it. */
const O_PATH = 0o10000000
const { O_DIRECTORY, O_NOFOLLOW } = constants

// Deeper than people nest folders; each level holds a descriptor while it is walked.
const maxDepth = 64

/** What version control and builds keep, which nobody searches and nobody lists to the bottom (TOOL-06). */
export const skippedFolders: ReadonlySet<string> = new Set([
  '.git',
  '.hg',
  '.svn',
  '.jj',
  'node_modules',
  'bower_components',
  'dist',
  'build',
  'out',
  'target',
  'coverage',
  '.next',
  '.nuxt',
  '.cache',
  '.turbo',
  '.venv',
  'venv',
  '__pycache__',
  '.pytest_cache',
  '.mypy_cache',
  '.ruff_cache',
  '.tox',
  '.gradle',
])

export type Entry = {
  /** From the folder that is walked. */
  name: string
  /** A path that no link can bend any more. Good until the next entry is asked for. */
  path: string
  dirent: Dirent
  depth: number
}

/**
 * Every entry of a folder, sorted, each folder before what is in it. Folders are entered through descriptors and links are
 * not followed, so that nothing outside is ever reached. One that cannot be opened is left out.
 */
export function* walk(folder: string, depth: number, opened: Set<number>): Generator<Entry> {
  yield* walkFrom({ folder, prefix: '', depth: 1, deepest: Math.min(depth, maxDepth), opened })
}

type Level = { folder: string; prefix: string; depth: number; deepest: number; opened: Set<number> }

function* walkFrom({ folder, prefix, depth, deepest, opened }: Level): Generator<Entry> {
  const fd = openFolder(folder)
  if (fd === undefined) return
  opened.add(fd)
  const here = `/proc/self/fd/${fd}`
  try {
    const entries = readdirSync(here, { withFileTypes: true }).toSorted(byName)
    for (const dirent of entries) {
      const name = `${prefix}${dirent.name}`
      const path = `${here}/${dirent.name}`
      yield { name, path, dirent, depth }
      if (!dirent.isDirectory() || depth === deepest || skippedFolders.has(dirent.name)) continue
      yield* walkFrom({ folder: path, prefix: `${name}/`, depth: depth + 1, deepest, opened })
    }
  } finally {
    closeSync(fd)
    opened.delete(fd)
  }
}

/** The folder to start with is such a path already and not a link. */
function openFolder(path: string): number | undefined {
  const isStart = /^\/proc\/self\/fd\/\d+$/.test(path)
  try {
    return openSync(path, O_PATH | O_DIRECTORY | (isStart ? 0 : O_NOFOLLOW))
  } catch {
    return undefined
  }
}

const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : 1)
