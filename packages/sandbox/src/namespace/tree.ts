import type { Dirent, Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A tree above this is refused rather than walked: 1 000 000 entries take about 20 s to look at. */
export const maxEntries = 1_000_000

const AT_ONCE = 64

export class TreeTooLarge extends Error {}

/**
 * Every entry below a directory with its own data (links are not followed), the directory first. Entries that vanish
 * meanwhile are left out: commands may be running in it. A directory that cannot be read is an error.
 */
export async function* walkTree(root: string): AsyncGenerator<{ path: string; stats: Stats }> {
  yield { path: root, stats: await lstat(root) }
  const open = [root]
  let seen = 0
  while (open.length > 0) {
    const dir = open.pop() as string
    const entries = (await unlessGone(readdir(dir, { withFileTypes: true }))) ?? []
    seen += entries.length
    if (seen > maxEntries) throw new TreeTooLarge(`${root} has more than ${maxEntries} entries`)
    for (let i = 0; i < entries.length; i += AT_ONCE) {
      const batch = entries.slice(i, i + AT_ONCE).map((entry: Dirent) => join(dir, entry.name))
      const stats = await Promise.all(batch.map((path) => unlessGone(lstat(path))))
      for (const [n, path] of batch.entries()) {
        const found = stats[n]
        if (found === undefined) continue
        if (found.isDirectory()) open.push(path)
        yield { path, stats: found }
      }
    }
  }
}

async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Made step by step, a tree can be deeper than a path can name.
    if (code === 'ENAMETOOLONG') throw new TreeTooLarge('a name in it is longer than a path may be')
    // ENOTDIR, ELOOP: a directory was replaced by something else between the two looks.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
    throw error
  }
}

/** Counts each file once, however many names it has, by the blocks it takes. */
export function countBlocks() {
  const linked = new Set<number>()
  let bytes = 0
  return {
    add(stats: Stats): void {
      if (stats.nlink > 1 && !stats.isDirectory()) {
        if (linked.has(stats.ino)) return
        linked.add(stats.ino)
      }
      // An empty file is not free: an inode is 256 bytes on ext4, and a million of them fill a disk too.
      bytes += stats.blocks * 512 + 256
    },
    bytes: () => bytes,
  }
}
