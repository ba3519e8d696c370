import type { AgeingLimits } from './limits.ts'

/** What is known of a waiting task. `lane` is as the queue stores it: 0 is served first. */
export type Waits = {
  lane: number
  /** How long it could have been taken from this lane. */
  inLaneMs: number
  /** Until it must be complete; null when nothing says so. */
  dueInMs: number | null
  /** Tasks that wait for this one. */
  neededBy: number
  /** It was raised for those once. */
  raisedForOthers: boolean
}

export type Raise = { to: number; because: 'due' | 'age' | 'needed' }

const [urgent, high] = [0, 1]

/**
 * Whether a waiting task moves to a higher lane (SCHED-12).
 *
 *   due      what must be complete soon becomes urgent
 *   age      low becomes normal, normal becomes high; nothing becomes urgent by waiting, or the lane would mean nothing
 *   needed   what several tasks wait for moves up by one, once
 *
 * A lane is only ever raised, so there is an end: after three changes at most. Within a lane nothing changes: first in,
 * first out, by the time at which a task came to the queue and not to the lane.
 */
export function raise(task: Waits, limits: AgeingLimits): Raise | undefined {
  const { lane } = task
  if (lane <= urgent) return undefined
  if (task.dueInMs !== null && task.dueInMs <= limits.dueSoonMs) return { to: urgent, because: 'due' }
  if (lane > high && task.inLaneMs >= longestIn(lane, limits)) return { to: lane - 1, because: 'age' }
  if (task.neededBy >= limits.neededBy && !task.raisedForOthers) return { to: lane - 1, because: 'needed' }
  return undefined
}

function longestIn(lane: number, { normalMs, lowMs }: AgeingLimits): number {
  return lane === high + 1 ? normalMs : lowMs
}
