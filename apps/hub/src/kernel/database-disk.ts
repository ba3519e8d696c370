import { statfs } from 'node:fs/promises'
import { MusterError } from './errors.ts'
import type { Log } from './log.ts'

export type Disk = { freeBytes: number; totalBytes: number }

// What runs may still write when nothing new is taken: its events and 1 MB of output for each run.
const usualReserveMb = 512

/**
 * Why nothing new may be taken, or null: less is free on the disk of the database than the reserve, which is 512 MB or 5 %,
 * whichever is less, unless it is set. Once full, a tenth more must be free, so that a hub at the edge does not go to and
 * fro. Taken up to the last block, tasks could not be ended any more, and a server that cannot write its log ends itself.
 */
export function whyFull(disk: Disk, wasFull: boolean, reserveMb: number | null): string | null {
  const reserve = reserveMb === null ? Math.min(disk.totalBytes / 20, usualReserveMb * 1e6) : reserveMb * 1e6
  const least = reserve * (wasFull ? 1.1 : 1)
  if (disk.freeBytes >= least) return null
  const [free, wanted] = [disk.freeBytes, least].map((bytes) => `${(bytes / 1e6).toFixed(0)} MB`)
  return `${free} are free on the disk of the database, ${wanted} must be. No new task is taken; what runs may end.`
}

export type DatabaseDisk = ReturnType<typeof createDatabaseDisk>

/** Watches that disk where this hub can see it. Elsewhere it is only known when PostgreSQL says so. */
export function createDatabaseDisk(options: {
  dir: string | null
  reserveMb: number | null
  log: Pick<Log, 'info' | 'warn'>
  measure?: (dir: string) => Promise<Disk>
}) {
  const { dir, reserveMb, log, measure = diskOf } = options
  let full: string | null = null
  return {
    async look(): Promise<void> {
      if (dir === null) return
      const before = full
      full = whyFull(await measure(dir), before !== null, reserveMb)
      if (full !== null && before === null) log.warn({ why: full }, 'the disk of the database is nearly full')
      if (full === null && before !== null) log.info('there is room on the disk of the database again')
    },

    whyFull: () => full,

    mustHaveRoom(): void {
      if (full !== null) throw new MusterError('database_full', full)
    },
  }
}

async function diskOf(dir: string): Promise<Disk> {
  const { bavail, blocks, bsize } = await statfs(dir)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}
