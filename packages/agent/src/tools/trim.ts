import type { Observation } from '../loop/toolbox.ts'

/**
 * Makes an observation fit. The tools are told their bounds and usually do; this is for what they cannot know, such as how
 * long a text becomes as JSON. The longest field gives way, and what is gone is marked.
 */
export function trimObservation(observation: Observation, maxChars: number): Observation {
  let trimmed = observation
  for (let round = 0; round < 20; round += 1) {
    const over = JSON.stringify(trimmed).length - maxChars
    if (over <= 0) return trimmed
    const [name, value] = longest(trimmed)
    if (name === undefined) return trimmed
    const smaller = shorten(value, over)
    // The next longest field may be all that is left to shorten.
    if (JSON.stringify(smaller).length >= JSON.stringify(value).length) break
    trimmed = { ...trimmed, [name]: smaller, truncated: true }
  }
  const { success, code, changed } = observation
  return {
    success,
    ...(code === undefined ? {} : { code }),
    error: 'The answer was too long to show.',
    ...(changed === undefined ? {} : { changed }),
  }
}

function longest(observation: Observation): [string | undefined, unknown] {
  const [first] = Object.entries(observation)
    .filter(([, value]) => typeof value === 'string' || Array.isArray(value))
    .map(([name, value]) => ({ name, value, length: JSON.stringify(value).length }))
    .toSorted((a, b) => b.length - a.length)
  return [first?.name, first?.value]
}

function shorten(value: unknown, over: number): unknown {
  const length = JSON.stringify(value).length
  // What is kept, in parts of the whole: escapes make JSON longer than the text, so characters cannot be counted off.
  const part = Math.max(0, (length - over - 60) / length)
  if (Array.isArray(value)) return value.slice(0, Math.floor(value.length * part))
  const text = String(value)
  const kept = Math.floor(text.length * part)
  const [head, tail] = [Math.ceil(kept / 2), Math.floor(kept / 2)]
  return `${text.slice(0, head)}\n[… ${text.length - kept} characters left out …]\n${tail === 0 ? '' : text.slice(-tail)}`
}
