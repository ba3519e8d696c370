// From the first try after half a second to one every 15 s: quick after a hiccup, harmless when something is broken.
const firstDelayMs = 500
const longestDelayMs = 15_000
const healthyAfterMs = 60_000
const windowMs = 300_000
const mostInWindow = 10

export type RestartHistory = {
  /** Ends in a row, none of which came after a minute of health. */
  inARow: number
  /** When it was restarted within the last five minutes. */
  recent: readonly number[]
}

export const noRestarts: RestartHistory = { inARow: 0, recent: [] }

export type RestartDecision =
  | { action: 'restart'; delayMs: number; history: RestartHistory }
  | { action: 'give_up'; restarts: number }

/** What to do about a part that ended at `at` after living for `livedMs`. */
export function decideRestart(before: RestartHistory, end: { at: number; livedMs: number }): RestartDecision {
  const recent = [...before.recent.filter((time) => end.at - time < windowMs), end.at]
  if (recent.length > mostInWindow) return { action: 'give_up', restarts: recent.length - 1 }
  const inARow = end.livedMs >= healthyAfterMs ? 1 : before.inARow + 1
  return {
    action: 'restart',
    delayMs: Math.min(longestDelayMs, firstDelayMs * 2 ** (inARow - 1)),
    history: { inARow, recent },
  }
}
