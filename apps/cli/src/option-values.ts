import { InvalidArgumentError } from 'commander'
import { parseDuration } from './duration.ts'

export const several = (value: string, before: string[] = []) => [...before, value]

export function duration(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new InvalidArgumentError('Write it like 500ms, 2s, 10m or 1h.')
  return ms
}

export function retries(text: string): number {
  if (!/^([0-9]|10)$/.test(text)) throw new InvalidArgumentError('It must be a number from 0 to 10.')
  return Number(text)
}

export function fixes(text: string): number {
  if (!/^[0-5]$/.test(text)) throw new InvalidArgumentError('It must be a number from 0 to 5.')
  return Number(text)
}

export function dollars(text: string): number {
  if (!/^\d{1,5}(\.\d{1,6})?$/.test(text) || Number(text) > 10_000)
    throw new InvalidArgumentError('Write it in US dollars, like 0.50 or 20, at most 10000.')
  return Number(text)
}

export function time(text: string): string {
  const ms = parseDuration(text) ?? Date.parse(text) - Date.now()
  if (Number.isNaN(ms)) throw new InvalidArgumentError('Write it like 2h, or like 2030-01-31T12:00:00Z.')
  return new Date(Date.now() + ms).toISOString()
}

/** What has been: a duration is so long ago. */
export function past(text: string): string {
  const ms = parseDuration(text)
  const at = ms === undefined ? Date.parse(text) : Date.now() - ms
  if (Number.isNaN(at)) throw new InvalidArgumentError('Write it like 7d, or like 2030-01-31T12:00:00Z.')
  return new Date(at).toISOString()
}

export function atMost(most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : 0
    if (number < 1 || number > most) throw new InvalidArgumentError(`It must be a number from 1 to ${most}.`)
    return number
  }
}
