import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

/** A process that cannot be confused with a later one of the same number, nor with one before a reboot. */
export type Owner = { pid: number; start: string; boot: string }

export function thisProcess(): Owner {
  const start = startOf(process.pid)
  if (start === undefined) throw new Error('/proc does not show this process: it is not mounted, or not ours')
  return { pid: process.pid, start, boot: bootId() }
}

export function isAlive(owner: Owner): boolean {
  return owner.boot === bootId() && startOf(owner.pid) === owner.start
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** Ticks since boot at which a process started; undefined when there is none, or only its zombie. */
export function startOf(pid: number): string | undefined {
  const fields = statFields(pid)
  // A zombie waits for its parent. Bubblewrap's pid 1 waits for the machine's, which may take seconds to look.
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19]
}

/**
 * The first two kilobytes of a file of /proc, which is made when it is read and tells no size. A start of a wall reads one of
 * each process of the machine, and readFileSync takes five system calls where three do.
 */
export function readStart(path: string): string {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.allocUnsafe(2048)
    return bytes.toString('latin1', 0, readSync(fd, bytes))
  } finally {
    closeSync(fd)
  }
}

/** Fields of /proc/pid/stat from the third (state) on: the second is the name and may contain anything. */
export function statFields(pid: number): string[] | undefined {
  try {
    const stat = readStart(`/proc/${pid}/stat`)
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** What reading /proc says when the process ended meanwhile. */
export function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ESRCH'
}
