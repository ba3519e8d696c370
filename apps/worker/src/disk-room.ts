import type { Blocked } from '@muster/contract/workers'
import { statfs } from 'node:fs/promises'

const gigabyte = 1024 ** 3

/**
 * Work is taken only while 10 % of the disk or 1 GB, whichever is less, is free: a run needs room for its clone,
 * its work and its bundle, and a journal that cannot be written loses the task. Once blocked, a tenth more must be free,
 * so that a worker at the edge does not go to and fro.
 */
export function whyNoRoom(
  disk: { freeBytes: number; totalBytes: number },
  wasBlocked: boolean,
): Blocked | null {
  const least = Math.min(disk.totalBytes / 10, gigabyte) * (wasBlocked ? 1.1 : 1)
  if (disk.freeBytes >= least) return null
  const [free, wanted] = [disk.freeBytes, least].map((bytes) => `${(bytes / 1e6).toFixed(0)} MB`)
  return {
    code: 'disk_full',
    reason: `${free} are free on the disk of the worker's data, ${wanted} must be.`,
  }
}

export async function diskOf(dir: string): Promise<{ freeBytes: number; totalBytes: number }> {
  const { bavail, blocks, bsize } = await statfs(dir)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}

/** A write failed because there is no room, or no more for this user. */
export function isNoRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
