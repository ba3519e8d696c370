import { maxMessageCharacters } from './limits.ts'

const keyLike = /\b(?:sk|pk|rk|ghp|gho|xox[abp])[-_][A-Za-z0-9_-]{8,}|\b[Bb]earer\s+[^\s"',;]{6,}/g

/**
 * Text of a server, fit to be shown and stored: without the secrets that were sent to it (servers like to repeat them),
 * without what looks like a key, without control characters, short.
 */
export function safeText(text: string, secrets: string[]): string {
  let safe = text
  for (const secret of secrets.toSorted((a, b) => b.length - a.length)) safe = safe.replaceAll(secret, '…')
  safe = safe
    .replace(keyLike, '…')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  return safe.length > maxMessageCharacters ? `${safe.slice(0, maxMessageCharacters - 1)}…` : safe
}

/** Short values are no secrets, and hiding each "1" would make nonsense of a message. */
export const worthHiding = (values: (string | undefined)[]): string[] =>
  values.filter((value): value is string => value !== undefined && value.length >= 6)
