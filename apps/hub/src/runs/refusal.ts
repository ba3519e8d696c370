import { refusedDelaySeconds } from '../tasks/limits.ts'

export type Refusal = {
  /** Counts against the bound on runs that were lost, so that it cannot go on for ever. */
  lost: boolean
  delaySeconds: number
  ending: 'refused' | 'lost'
}

/**
 * What becomes of a task that its worker gave back, by the code it gave. What lies in the worker and passes (no wall, a
 * full disk, a restart) is waited for and held against nobody; everything else is bounded.
 */
export function meaningOf(code: string): Refusal {
  switch (code) {
    case 'sandbox_unavailable':
    case 'disk_full':
      return { lost: false, delaySeconds: refusedDelaySeconds, ending: 'refused' }
    case 'worker_restarting':
      return { lost: false, delaySeconds: 0, ending: 'refused' }
    case 'run_lost':
      return { lost: true, delaySeconds: 0, ending: 'lost' }
    default:
      return { lost: true, delaySeconds: refusedDelaySeconds, ending: 'refused' }
  }
}
