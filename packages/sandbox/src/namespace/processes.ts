import { readdirSync, readFileSync, statSync } from 'node:fs'
import { isGone, startOf, statFields } from './owner.ts'

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
  return pids().filter((pid) => {
    try {
      return (statSync(`/proc/${pid}`).uid === uid || realUid(pid) === uid) && startOf(pid) !== undefined
    } catch (error) {
      if (isGone(error)) return false
      throw error
    }
  })
}

// The owner of /proc/pid is root for a process that is not dumpable, as bubblewrap's are for a moment.
function realUid(pid: number): number | undefined {
  const line = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  return line === null ? undefined : Number(line[1])
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
