// Ten failures in fifteen minutes per source, then a pause; a person with a session is not affected by it.
const allowed = 10
const windowMs = 15 * 60_000

/** Counts failed sign-ins per source address, in this hub's memory: a restart forgives, a second hub counts apart. */
export function createAttempts(now: () => number) {
  const failures = new Map<string, number[]>()
  const recent = (source: string) => (failures.get(source) ?? []).filter((at) => now() - at < windowMs)
  return {
    mayTry: (source: string) => recent(source).length < allowed,
    failed(source: string) {
      failures.set(source, [...recent(source), now()])
      // Bounded: an attacker with many addresses must not fill the memory.
      if (failures.size > 10_000) failures.delete(failures.keys().next().value ?? '')
    },
    succeeded: (source: string) => void failures.delete(source),
  }
}
