import { readlinkSync, statSync } from 'node:fs'
import type { Places } from './place.ts'
import { Refusal } from './refusal.ts'
import { walk, type Entry } from './walk.ts'

export type ListDirectory = { path: string; depth: number; maxBytes: number }

/** TOOL-06. */
const maxEntries = 500

/** One string for each entry, because a list of objects would cost a small model half of its window. */
export function listDirectory(places: Places, { path, depth, maxBytes }: ListDirectory) {
  return places.existing(path, (place) => {
    if (!statSync(place.path).isDirectory()) {
      throw new Refusal('NOT_A_DIRECTORY', `${place.shown} is a file. Use read_file.`)
    }
    const found: { name: string; depth: number }[] = []
    for (const entry of walk(place.path, depth, new Set())) {
      found.push({ name: describe(entry), depth: entry.depth })
    }
    // What is near the top is what the rest is understood by; it stays when there is too much.
    const kept = new Set(found.toSorted((a, b) => a.depth - b.depth).slice(0, maxEntries))
    let room = maxBytes
    const entries = found.filter((entry) => kept.has(entry) && (room -= entry.name.length + 3) >= 0)
    return {
      path: place.shown,
      entries: entries.map(({ name }) => name),
      ...(entries.length < found.length ? { truncated: true } : {}),
    }
  })
}

function describe({ name, path, dirent }: Entry): string {
  if (dirent.isDirectory()) return `${name}/`
  if (dirent.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`
  return dirent.isFile() ? name : `${name} (not a file)`
}
