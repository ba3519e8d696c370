const day = 86_400_000
const longestWait = 400 * day

/**
 * When the server may be asked again, as far as its headers say so. `Retry-After` is believed first; then the limit that
 * is used up. A time further away than a year is no information.
 */
export function resetTime(headers: Headers, now: Date): Date | undefined {
  const exact = fromNow(Number(headers.get('retry-after-ms') ?? NaN), now)
  if (exact) return exact
  const after = headers.get('retry-after')
  if (after !== null) {
    const at = /^\s*\d+(\.\d+)?\s*$/.test(after) ? fromNow(Number(after) * 1000, now) : byDate(after, now)
    if (at) return at
  }
  const all = resets(headers, now)
  const usedUp = all.filter((reset) => reset.left === 0)
  const times = (usedUp.length > 0 ? usedUp : all).map((reset) => reset.at.getTime())
  return times.length > 0 ? new Date(Math.max(...times)) : undefined
}

function resets(headers: Headers, now: Date): { at: Date; left: number | undefined }[] {
  const found = []
  for (const [name, value] of headers) {
    if (!/ratelimit/.test(name) || !/reset/.test(name)) continue
    const at = readReset(value, now)
    const left = headers.get(name.replace('reset', 'remaining'))
    if (at) found.push({ at, left: left === null ? undefined : Number(left) })
  }
  return found
}

/** `2026-11-01T00:00:00Z` (Anthropic), `6m0s` or `120ms` (OpenAI), `12` seconds, or an epoch in seconds or milliseconds. */
function readReset(value: string, now: Date): Date | undefined {
  const number = Number(value)
  if (value.trim() !== '' && Number.isFinite(number)) {
    if (number > 1e12) return within(new Date(number), now)
    if (number > 1e9) return within(new Date(number * 1000), now)
    return fromNow(number * 1000, now)
  }
  if (/^(\d+(\.\d+)?(ms|h|m|s|d))+$/.test(value)) return fromNow(duration(value), now)
  return byDate(value, now)
}

/** `Date` reads nearly anything as a date, `-5` too. */
const byDate = (value: string, now: Date): Date | undefined =>
  /^\d{4}-\d\d-\d\dT|^[A-Z][a-z]{2,}, /.test(value.trim()) ? within(new Date(value), now) : undefined

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: day }

function duration(value: string): number {
  let ms = 0
  for (const [, count, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s|d)/g)) {
    ms += Number(count) * (unitMs[unit ?? ''] ?? 0)
  }
  return ms
}

const fromNow = (ms: number, now: Date): Date | undefined =>
  Number.isFinite(ms) && ms >= 0 ? within(new Date(now.getTime() + ms), now) : undefined

function within(at: Date, now: Date): Date | undefined {
  const ms = at.getTime() - now.getTime()
  if (Number.isNaN(ms) || ms > longestWait || ms < -longestWait) return undefined
  return ms < 0 ? now : at
}
