import { lstatSync, readFileSync } from 'node:fs'
import { inflateSync } from 'node:zlib'
import { commitObject, nameOf, packOf, type GitObject } from './git-objects.ts'
import { treesOf, type Entry } from './git-trees.ts'

const objects = '/workspace/.git/objects'
const mostBytesOfBlob = 32 * 1024 * 1024

export type Base = { ids: ReadonlySet<string>; tree: string }

export function baseOf(entries: readonly Entry[]): Base {
  const trees = [...treesOf(entries).keys()]
  return { ids: new Set([...entries.map(({ id }) => id), ...trees]), tree: trees.at(-1) ?? '' }
}

/**
 * A commit on `parent` that holds these files, and a pack of what the base does not have of it. Null when a new file is
 * not where `git add` writes it, or is too large to be held. `isTooLarge`: the pack would be larger than `maxBytes`.
 */
export function quickPack(
  entries: readonly Entry[],
  base: Base,
  { parent, seconds, maxBytes }: { parent: string; seconds: number; maxBytes: number },
): { commit: string; pack: Buffer; isTooLarge: boolean } | null {
  const trees = treesOf(entries)
  const commit = commitObject([...trees.keys()].at(-1) ?? '', parent, seconds)
  const needed: GitObject[] = [commit]
  for (const [id, tree] of trees) if (!base.ids.has(id)) needed.push(tree)
  const taken = new Set<string>()
  let compressed = 0
  for (const { id, mode } of entries) {
    if (mode === submodule || base.ids.has(id) || taken.has(id)) continue
    taken.add(id)
    const path = `${objects}/${id.slice(0, 2)}/${id.slice(2)}`
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found === undefined || !found.isFile()) return null
    compressed += found.size
    // Whoever packs the same bytes again needs about as many.
    if (compressed > 2 * maxBytes) return { commit: nameOf(commit), pack: Buffer.alloc(0), isTooLarge: true }
    const blob = readLoose(path)
    if (blob === null) return null
    needed.push(blob)
  }
  const pack = packOf(needed)
  return { commit: nameOf(commit), pack, isTooLarge: pack.length > maxBytes }
}

const submodule = '160000'

function readLoose(path: string): GitObject | null {
  try {
    const whole = inflateSync(readFileSync(path), { maxOutputLength: mostBytesOfBlob })
    const nul = whole.indexOf(0)
    return whole.toString('latin1', 0, 5) === 'blob ' ? { type: 'blob', body: whole.subarray(nul + 1) } : null
  } catch {
    return null
  }
}
