/** Three looks, 5 s apart: memory that the collector takes back by itself is no reason. */
const looksInARow = 3

/** A minute after the start: loading the sources takes more than running them, and it is given back by then. */
const settledAfter = 12

export type MemoryVerdict = 'fine' | 'restart' | 'restart_would_not_help'

/**
 * Judges the memory of this process against its ceiling (SIDE-05), look by look. A process that has been above it ever
 * since its start would be there again after a restart, and so on for ever; that is said once and nothing is done.
 */
export function createMemoryJudge(ceilingBytes: number): (bytes: number) => MemoryVerdict {
  let looks = 0
  let inARow = 0
  let wasBelow = false
  let said = false
  return (bytes) => {
    looks += 1
    inARow = bytes > ceilingBytes ? inARow + 1 : 0
    wasBelow ||= bytes <= ceilingBytes
    const isDue = wasBelow ? inARow >= looksInARow : looks >= settledAfter
    if (!isDue || said) return 'fine'
    said = true
    return wasBelow ? 'restart' : 'restart_would_not_help'
  }
}
