export const firstDelayMs = 1_000
export const longestDelayMs = 60_000

/** Delay before the attempt after `failures` failed ones: 1 s, 2 s, 4 s … 60 s (SIDE-01). */
export function delayAfter(failures: number): number {
  return Math.min(firstDelayMs * 2 ** Math.max(0, failures - 1), longestDelayMs)
}
