import { readdirSync, readFileSync } from 'node:fs'
import { isGone, readStart, startOf, statFields } from './owner.ts'

export type ProcessRow = { pid: number; ppid: number; threads: number; residentBytes: number }

// x86-64 always; arm64 kernels of the distributions we support. A larger page only makes us count too little.
const PAGE = 4096

export function listProcesses(): ProcessRow[] {
  return pids().flatMap((pid) => {
    const fields = statFields(pid)
    // Z: ended, only not yet waited for.
    if (fields === undefined || fields[0] === 'Z') return []
    return [
      { pid, ppid: Number(fields[1]), threads: Number(fields[17]), residentBytes: Number(fields[21]) * PAGE },
    ]
  })
}

/**
 * For the looks at all walls of a driver: a listing reads every process of the machine, and twenty walls that each make
 * their own four times a second would keep a core busy.
 */
export function createProcessList(maxAgeMs = 200): () => ProcessRow[] {
  let rows: ProcessRow[] = []
  let readAt = -Infinity
  return () => {
    if (performance.now() - readAt > maxAgeMs) {
      rows = listProcesses()
      readAt = performance.now()
    }
    return rows
  }
}

/** Everything below a process. Inside a pid namespace nothing can leave: orphans fall to its pid 1. */
export function descendants(rows: ProcessRow[], root: number): ProcessRow[] {
  const children = Map.groupBy(rows, (row) => row.ppid)
  const found: ProcessRow[] = []
  const open = [root]
  while (open.length > 0) {
    const next = children.get(open.pop() as number) ?? []
    found.push(...next)
    open.push(...next.map((row) => row.pid))
  }
  return found
}

/** Without zombies: those hold nothing any more, and may wait long for whoever should have waited for them. */
export function processesOfUid(uid: number): number[] {
  const wanted = String(uid)
  return pids().filter((pid) => {
    try {
      return usersOf(pid).includes(wanted) && startOf(pid) !== undefined
    } catch (error) {
      if (isGone(error)) return false
      throw error
    }
  })
}

/**
 * Real, effective, saved and of the file system. Not the owner of /proc/pid, who is root for a process that is not
 * dumpable, as bubblewrap's are for a moment.
 */
function usersOf(pid: number): string[] {
  const line = /^Uid:\s+(.*)$/m.exec(readStart(`/proc/${pid}/status`))
  return line?.[1]?.split('\t') ?? []
}

/**
 * Bubblewraps by the name they carry on their command line: of one command, or of all of a wall. For users without
 * cgroups and without root.
 */
export function processesNamed(name: string): number[] {
  return pids().filter((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      return [`${name}\0`, `${name}.`].some((named) => line.includes(`\0MUSTER_WALL\0${named}`))
    } catch (error) {
      if (isGone(error)) return false
      throw error
    }
  })
}

function pids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger)
}

/** False when there was nothing to signal any more. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if (isGone(error)) return false
    throw error
  }
}
