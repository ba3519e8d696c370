import { constants } from 'node:os'
import type { Ended } from '../sandbox.ts'

/** Everything that is known once nothing of the command is left. */
export type Facts = {
  /** Why we ended it, if we did. */
  stopped: Ended | undefined
  /** What bubblewrap reported; absent when the command never started or the wall was killed around it. */
  exitCode: number | undefined
  launcherSignal: NodeJS.Signals | undefined
  oomKills: number
  processHits: number
  overDisk: boolean
}

export type Ending = { code: number | null; ended: Ended; signal?: string }

/** Undefined: the command never ran, and no limit explains it. That is the wall's failure, not the command's. */
export function endingOf(facts: Facts): Ending | undefined {
  const { stopped, exitCode, launcherSignal } = facts
  if (stopped !== undefined) return { code: null, ended: stopped }
  const code = exitCode ?? null
  if (facts.overDisk) return { code, ended: 'disk_limit' }
  // Recovered: it ran into a limit, dealt with it and succeeded.
  if (exitCode === 0) return { code, ended: 'exited' }
  if (facts.oomKills > 0) return { code, ended: 'memory_limit' }
  if (facts.processHits > 0) return { code, ended: 'process_limit' }
  if (exitCode === undefined) {
    return launcherSignal && { code, ended: 'signalled', signal: launcherSignal }
  }
  const signal = signalName(exitCode - 128)
  if (signal === undefined) return { code, ended: 'exited' }
  // The only sender is the kernel, when a file outgrows the limit.
  return { code, ended: signal === 'SIGXFSZ' ? 'disk_limit' : 'signalled', signal }
}

// A shell says 128 + n for a child that died of signal n, and so does bubblewrap: a plain exit(130) looks the same.
function signalName(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0]
}
