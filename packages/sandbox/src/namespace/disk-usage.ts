import { readdirSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { countBlocks, TreeTooLarge, walkTree } from './tree.ts'

export type DiskMeter = {
  /** True when the workspace holds more than its limit, or cannot be measured. */
  isOver(pids: number[]): Promise<boolean>
  /** As isOver, but walks only when the disk lost enough space since the last walk for it to be possible. */
  mayBeOver(pids: number[]): Promise<boolean>
}

/** There is no quota to be had without a filesystem of our own, so the limit is one that is looked at. */
export async function createDiskMeter(
  workspace: string,
  limitBytes: number,
  knownBytes: number,
): Promise<DiskMeter> {
  let last = { bytes: knownBytes, free: await freeBytes(workspace) }

  const isOver = async (pids: number[]): Promise<boolean> => {
    const free = await freeBytes(workspace)
    const bytes = await measure(workspace, pids)
    last = { bytes, free }
    return bytes > limitBytes
  }
  return {
    isOver,
    async mayBeOver(pids) {
      const lost = last.free - (await freeBytes(workspace))
      // Half: others on this disk may have freed space meanwhile.
      if (lost < (limitBytes - last.bytes) / 2) return false
      return isOver(pids)
    },
  }
}

async function freeBytes(path: string): Promise<number> {
  const { bfree, bsize } = await statfs(path)
  return bfree * bsize
}

async function measure(workspace: string, pids: number[]): Promise<number> {
  const { dev } = statSync(workspace)
  const count = countBlocks()
  try {
    for await (const { stats } of walkTree(workspace)) {
      if (stats.dev === dev) count.add(stats)
    }
  } catch (error) {
    // Too many names, or a directory closed to us: what cannot be measured counts as too much.
    if (error instanceof TreeTooLarge || (error as NodeJS.ErrnoException).code === 'EACCES') return Infinity
    throw error
  }
  // A file without a name is held by whoever has it open.
  const held = new Set<number>()
  for (const stats of pids.flatMap(openFiles)) {
    if (stats.dev !== dev || stats.nlink > 0 || held.has(stats.ino)) continue
    held.add(stats.ino)
    count.add(stats)
  }
  return count.bytes()
}

function openFiles(pid: number) {
  return entries(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [statSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      // Closed meanwhile, or bubblewrap's own, which nobody may look into.
      return []
    }
  })
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
