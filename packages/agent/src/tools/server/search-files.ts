import { closeSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { createContext, Script } from 'node:vm'
import { isBinary, readUpTo, withFile } from './file-bytes.ts'
import { globToTest } from './glob.ts'
import type { Place, Places } from './place.ts'
import { walk } from './walk.ts'

export type SearchFiles = {
  pattern: string
  path: string
  glob: string | undefined
  maxBytes: number
  timeoutMs: number
}

export type Hit = { path: string; line: number; text: string }

/** TOOL-06. */
const maxHits = 50
const maxFileBytes = 2 ** 20
const maxLineChars = 200

export function searchFiles(places: Places, { pattern, path, glob, maxBytes, timeoutMs }: SearchFiles) {
  const { expression, literal } = compile(pattern)
  return places.existing(path, (place) => {
    const found = { hits: [] as Hit[], room: maxBytes, files: 0, isFull: false }
    const isFinished = withinTime(timeoutMs, (opened) => {
      for (const file of filesOf(place, opened)) {
        if (glob !== undefined && !globToTest(glob)(file.shown)) continue
        searchFile(file, expression, found)
        if (found.isFull) return
      }
    })
    return {
      hits: found.hits,
      files_searched: found.files,
      ...(literal ? { literal } : {}),
      ...(found.isFull ? { truncated: true } : {}),
      ...(isFinished ? {} : { timed_out: true }),
    }
  })
}

/** What is no regular expression is looked for as it stands: `foo(` is a thing people look for. */
function compile(pattern: string): { expression: RegExp; literal: boolean } {
  try {
    return { expression: new RegExp(pattern, 'm'), literal: false }
  } catch {
    return { expression: new RegExp(pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), 'm'), literal: true }
  }
}

function* filesOf(place: Place, opened: Set<number>): Generator<Place> {
  if (!statSync(place.path).isDirectory()) return yield place
  for (const { name, path, dirent } of walk(place.path, Infinity, opened)) {
    if (dirent.isFile()) yield { path, shown: posix.join(place.shown, name), close: () => undefined }
  }
}

function searchFile(
  file: Place,
  expression: RegExp,
  found: { hits: Hit[]; room: number; files: number; isFull: boolean },
): void {
  const text = textOf(file)
  if (text === undefined) return
  found.files += 1
  // Most files have no hit, and one look at the whole is quicker than one at each line.
  if (!expression.test(text)) return
  for (const [at, line] of text.split('\n').entries()) {
    const match = expression.exec(line)
    if (match === null) continue
    const hit = { path: file.shown, line: at + 1, text: cut(line, match.index) }
    found.room -= JSON.stringify(hit).length + 1
    found.isFull = found.hits.length === maxHits || found.room < 0
    if (found.isFull) return
    found.hits.push(hit)
  }
}

function textOf(file: Place): string | undefined {
  try {
    return withFile(file, (fd, { size }) => {
      if (size > maxFileBytes) return undefined
      const bytes = readUpTo(fd, size)
      return isBinary(bytes) ? undefined : bytes.toString()
    })
  } catch {
    // Closed to us, or gone meanwhile: the others are still worth a search.
    return undefined
  }
}

/** The part of a long line around the hit. */
function cut(line: string, at: number): string {
  if (line.length <= maxLineChars) return line
  const from = Math.max(0, Math.min(at - maxLineChars / 4, line.length - maxLineChars))
  const to = from + maxLineChars
  return `${from === 0 ? '' : '…'}${line.slice(from, to)}${to >= line.length ? '' : '…'}`
}

/**
 * False: the time was over before the work was. A regular expression that never comes back cannot be stopped from within;
 * this is what Node has to stop it from without.
 */
function withinTime(timeoutMs: number, work: (opened: Set<number>) => void): boolean {
  const opened = new Set<number>()
  const context = createContext({ work: () => work(opened) })
  try {
    new Script('work()').runInContext(context, { timeout: timeoutMs })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false
    throw error
  } finally {
    // What is stopped so is stopped for good: no `finally` of it ran.
    for (const fd of opened) closeSync(fd)
  }
}
