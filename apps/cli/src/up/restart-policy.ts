/** When a part that ended is started again, and when no longer. */
export type RestartPolicy = {
  /** After a life that was a good start. */
  healthyDelayMs: number
  /** After the first other end; it doubles with each in a row up to the longest. */
  firstDelayMs: number
  longestDelayMs: number
  /** A life of this length was a good start: what comes after it begins a new row. */
  healthyAfterMs: number
  /** Ends in a row, the last of which is final. Infinity: only the window bounds them. */
  mostInARow: number
  /** Ends within the window, whatever the lives between them were. */
  window: { ms: number; most: number }
}

/**
 * Hub and database: at once after a hiccup, because everybody waits for them, and harmless when something is broken.
 * What breaks again and again after a good start is bounded by the window.
 */
export const partPolicy: RestartPolicy = {
  healthyDelayMs: 0,
  firstDelayMs: 500,
  longestDelayMs: 15_000,
  healthyAfterMs: 10_000,
  mostInARow: Infinity,
  window: { ms: 300_000, most: 10 },
}

/**
 * Workers (SIDE-05): 50 restarts, 2 s apart, and 5 s of life are a good start. A worker that comes up is kept for ever,
 * because nobody may be near its machine; what it does after a restart is bounded by the queue.
 */
export function workerPolicy(settings: {
  restarts: number
  minUptimeMs: number
  delayMs: number
}): RestartPolicy {
  return {
    healthyDelayMs: settings.delayMs,
    firstDelayMs: settings.delayMs,
    longestDelayMs: settings.delayMs,
    healthyAfterMs: settings.minUptimeMs,
    mostInARow: settings.restarts,
    window: { ms: 0, most: Infinity },
  }
}

export type RestartHistory = {
  /** Ends in a row, none of which came after a good start. */
  inARow: number
  /** When it was restarted within the window. */
  recent: readonly number[]
  /** All of them. */
  restarts: number
}

export const noRestarts: RestartHistory = { inARow: 0, recent: [], restarts: 0 }

export type RestartDecision =
  | { action: 'restart'; delayMs: number; history: RestartHistory }
  | { action: 'give_up'; ends: string }

/** What to do about a part that ended at `at` after living for `livedMs`. */
export function decideRestart(
  policy: RestartPolicy,
  before: RestartHistory,
  end: { at: number; livedMs: number },
): RestartDecision {
  const { window, healthyDelayMs, firstDelayMs, longestDelayMs, healthyAfterMs, mostInARow } = policy
  const recent = [...before.recent.filter((time) => end.at - time < window.ms), end.at]
  if (recent.length > window.most) {
    return { action: 'give_up', ends: `${recent.length - 1} times within ${window.ms / 60_000} minutes` }
  }
  const wasHealthy = end.livedMs >= healthyAfterMs
  const inARow = wasHealthy ? 1 : before.inARow + 1
  if (inARow > mostInARow) {
    return {
      action: 'give_up',
      ends: `${inARow} times in a row within ${healthyAfterMs / 1_000} s of its start`,
    }
  }
  return {
    action: 'restart',
    delayMs: wasHealthy ? healthyDelayMs : Math.min(longestDelayMs, firstDelayMs * 2 ** (inARow - 1)),
    history: { inARow, recent, restarts: before.restarts + 1 },
  }
}
