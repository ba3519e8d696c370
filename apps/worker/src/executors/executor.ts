import type { Report } from '@muster/agent/verify/report'
import type { Sandbox } from '@muster/sandbox/sandbox'
import type { End } from '../endings.ts'

/**
 * What works in the wall of a run. It may be asked more than once: when its result did not pass the checks and it wants
 * to try again, it gets another wall on the same workspace.
 */
export type Executor = {
  work(wall: Sandbox, stage: ExecutorStage): Promise<Worked>
  /** The checks did not pass: whether it works on, told what failed. */
  tryAgain(report: Report, stage: { signal: AbortSignal }): Promise<boolean>
}

export type ExecutorStage = {
  /** Milliseconds to the deadline. */
  left: () => number
  /** The commit that the work started from. */
  base: string
  signal: AbortSignal
}

export type Worked = {
  exitCode: number | null
  /** How the run ends if nothing can be checked any more; null when its work is to be checked. */
  end: End | null
  /** It was stopped at a limit: the work is checked all the same, and this is how it ends when that does not prove it. */
  limit?: End
}

/** The task cannot go on now, through no fault of its own and for a known time. Its last step is where it goes on. */
export class Parked extends Error {
  readonly delayMs: number
  constructor(delayMs: number, reason: string) {
    super(reason)
    this.delayMs = delayMs
  }
}
