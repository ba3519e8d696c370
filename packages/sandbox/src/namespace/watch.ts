import { setTimeout as sleep } from 'node:timers/promises'
import type { Ended, WallLimits } from '../sandbox.ts'
import type { ExecCgroup } from './cgroup.ts'
import type { DiskMeter } from './disk-usage.ts'
import { descendants, type ProcessRow } from './processes.ts'

/** One look at a running command. */
export type Look = { processes: number; newHits: number; residentBytes: number }

// Three looks a quarter of a second apart: a build that runs into the limit once recovers or fails within that.
const LOOK_EVERY_MS = 250
const LOOKS_AT_THE_LIMIT = 3
// A walk may take this part of the time, and one of a small tree happens every second.
const DISK_EVERY_MS = 1_000
const DISK_SHARE = 10
// A live command is idle most of the time. It is walked when the disk lost space, and now and then in case somebody else
// made room meanwhile.
const LIVE_WALK_EVERY_MS = 15_000

/**
 * Tells a fork bomb, which stays at the limit and keeps hitting it, from a command that had to wait for a process.
 * `hard` says that the kernel itself holds the limits; without it we are the ones who notice.
 */
export function createLimitJudge(limits: WallLimits, hard: boolean): (look: Look) => Ended | undefined {
  let atLimit = 0
  return ({ processes, newHits, residentBytes }) => {
    const full = processes >= limits.processes * 0.9
    atLimit = full && (newHits > 0 || !hard) ? atLimit + 1 : 0
    if (atLimit >= LOOKS_AT_THE_LIMIT) return 'process_limit'
    return !hard && residentBytes > limits.memoryBytes ? 'memory_limit' : undefined
  }
}

export type Watch = {
  limits: WallLimits
  cgroup: ExecCgroup | undefined
  disk: DiskMeter
  processes: () => ProcessRow[]
  isLive: boolean
  /** Pid 1 of the wall as the host sees it, once it is known. */
  init: () => number | undefined
  onProcesses: (count: number) => void
  stop: (why: Ended) => void
  /** The command is over. */
  over: AbortSignal
}

/** Looks until the command is over or a limit ends it. An error of a look is the caller's: it must not go unwatched. */
export async function watch(run: Watch): Promise<void> {
  const judge = createLimitJudge(run.limits, run.cgroup !== undefined)
  let hitsBefore = 0
  let nextDisk = performance.now() + DISK_EVERY_MS
  let nextWalk = run.isLive ? performance.now() + LIVE_WALK_EVERY_MS : 0
  while (await pause(run.over)) {
    const seen = look(run)
    run.onProcesses(seen.processes)
    const why = judge({ ...seen, newHits: seen.hits - hitsBefore })
    hitsBefore = seen.hits
    if (why !== undefined) return run.stop(why)
    if (performance.now() < nextDisk) continue
    const started = performance.now()
    const mustWalk = started >= nextWalk
    if (mustWalk && run.isLive) nextWalk = started + LIVE_WALK_EVERY_MS
    if (await run.disk[mustWalk ? 'isOver' : 'mayBeOver'](seen.pids)) return run.stop('disk_limit')
    nextDisk = performance.now() + Math.max(DISK_EVERY_MS, DISK_SHARE * (performance.now() - started))
  }
}

async function pause(over: AbortSignal): Promise<boolean> {
  await sleep(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => undefined)
  return !over.aborted
}

function look({ cgroup, init, processes }: Watch) {
  if (cgroup !== undefined) {
    const pids = cgroup.pids()
    return { pids, processes: pids.length, hits: cgroup.hits().processHits, residentBytes: 0 }
  }
  const pid = init()
  const rows = pid === undefined ? [] : descendants(processes(), pid)
  return {
    pids: rows.map((row) => row.pid),
    // The rlimit counts threads.
    processes: rows.reduce((sum, row) => sum + row.threads, 0),
    hits: 0,
    residentBytes: rows.reduce((sum, row) => sum + row.residentBytes, 0),
  }
}
