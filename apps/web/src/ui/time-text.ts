/** `4s`, `3m 12s`, `2h 05m`, `3d 4h`: as precise as somebody watching needs, never longer than two units. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m ${pad(seconds % 60)}s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours}h ${pad(minutes % 60)}m`
  return `${Math.floor(hours / 24)}d ${hours % 24}h`
}

/** For what has ended: a task of half a second did not take `0s`. */
export function tookText(ms: number): string {
  return ms < 10_000 ? `${(Math.max(0, ms) / 1_000).toFixed(1)}s` : durationText(ms)
}

/** For measured work, where less than a second matters. */
export function millisecondsText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  return ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : durationText(ms)
}

export function ageText(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes}m ago`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours}h ago` : `${Math.floor(hours / 24)}d ago`
}

export function dateText(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
}

/** The time of day for what is near, the date as well for what is not. */
export function momentText(iso: string, now = Date.now()): string {
  const isNear = Math.abs(Date.parse(iso) - now) < 12 * 3_600_000
  return isNear ? new Date(iso).toLocaleTimeString('en-GB') : dateText(iso)
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
