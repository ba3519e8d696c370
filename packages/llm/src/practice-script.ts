import type { FailureClass } from './model.ts'

/**
 * What the practice model plays, as a JSON file:
 *
 *     { "name": "fix-greeting",
 *       "turns": [
 *         { "say": "I look at the file.", "calls": [{ "tool": "read_file", "args": { "path": "greet.js" } }] },
 *         { "fail": "busy" },
 *         { "say": "Done.", "waitMs": 200 } ] }
 */
export type PracticeScript = { name?: string; turns: PracticeTurn[] }

export type PracticeTurn = {
  say?: string
  calls?: PracticeCall[]
  /** The call ends with this failure, `cut_off` in the middle of what it says. */
  fail?: PracticeFailure
  /** With `fail: "quota"`: so long after the call it may be asked again. */
  resetMs?: number
  /** Nothing comes for so long. */
  waitMs?: number
}

export type PracticeCall = { tool: string; args: Record<string, unknown> }

/** Only the caller aborts. */
type PracticeFailure = Exclude<FailureClass, 'aborted'>

const failures: PracticeFailure[] = ['unavailable', 'busy', 'quota', 'invalid_request', 'cut_off', 'refused']
const maxCharacters = 2 ** 20
const maxTurns = 1000
const maxMs = 3_600_000

/** The script, or the first thing that is wrong with it and where: `line 3: …`, `turns[2].calls[0].args: …`. */
export function readPracticeScript(text: string): { script: PracticeScript } | { problem: string } {
  if (text.length > maxCharacters) return { problem: `longer than ${maxCharacters} characters` }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { problem: notJson(text, error as Error) }
  }
  const problem = wrongScript(value)
  return problem === undefined ? { script: value as PracticeScript } : { problem }
}

function notJson(text: string, error: Error): string {
  const line = text.slice(0, placeOf(error.message, text)).split('\n').length
  const what = /^(.*?)(?: in JSON at position |, (?:\.\.\.)?"| in JSON$|$)/.exec(error.message)?.[1] ?? ''
  return `line ${line}: not JSON: ${what}`
}

/**
 * V8 says where: by a position; or by what stands there, from ten characters before it; or, where the text ends too
 * early, not at all.
 */
function placeOf(message: string, text: string): number {
  const position = /at position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return Number(position)
  const [, token = '', cut, around] =
    /^Unexpected token '(.+?)', (\.{3})?"(.*)"(?:\.{3})? is/s.exec(message) ?? []
  if (around === undefined) return text.length
  return cut === undefined ? text.indexOf(token) : text.indexOf(around) + 10
}

type Rule = (value: unknown, at: string) => string | undefined

const text: Rule = (value, at) => (typeof value === 'string' ? undefined : `${at}: must be a string`)

const name: Rule = (value, at) =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value)
    ? undefined
    : `${at}: must be 1 to 64 letters, digits, dots, dashes and underscores`

const milliseconds: Rule = (value, at) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= maxMs
    ? undefined
    : `${at}: must be whole milliseconds from 0 to ${maxMs}`

const failure: Rule = (value, at) =>
  failures.some((known) => known === value) ? undefined : `${at}: must be one of ${failures.join(', ')}`

const list =
  (rule: Rule, most: number): Rule =>
  (value, at) => {
    if (!Array.isArray(value)) return `${at}: must be a list`
    if (value.length > most) return `${at}: has more than ${most} entries`
    return firstProblem(value.map((entry, i) => rule(entry, `${at}[${i}]`)))
  }

const object =
  (fields: Record<string, Rule>, needed: string[]): Rule =>
  (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return `${at || 'the script'}: must be an object`
    }
    const path = (field: string) => (at === '' ? field : `${at}.${field}`)
    const missing = needed.find((field) => !Object.hasOwn(value, field))
    if (missing !== undefined) return `${path(missing)}: is missing`
    return firstProblem(
      Object.entries(value).map(([field, entry]) => {
        const rule = Object.hasOwn(fields, field) ? fields[field] : undefined
        if (!rule) return `${path(field)}: is unknown; there are ${Object.keys(fields).join(', ')}`
        return rule(entry, path(field))
      }),
    )
  }

const anyObject: Rule = (value, at) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? undefined
    : `${at}: must be an object`

const call = object({ tool: name, args: anyObject }, ['tool', 'args'])

const turn: Rule = (value, at) => {
  const problem = turnFields(value, at)
  if (problem !== undefined) return problem
  const { say, calls, fail } = value as PracticeTurn
  return say === undefined && calls === undefined && fail === undefined
    ? `${at}: needs one of say, calls and fail`
    : undefined
}

const turnFields = object(
  { say: text, calls: list(call, 64), fail: failure, resetMs: milliseconds, waitMs: milliseconds },
  [],
)

const turns: Rule = (value, at) => list(turn, maxTurns)(value, at) ?? atLeastOne(value, at)

const atLeastOne: Rule = (value, at) =>
  Array.isArray(value) && value.length > 0 ? undefined : `${at}: needs at least one turn`

const script = object({ name, turns }, ['turns'])

const wrongScript = (value: unknown): string | undefined => script(value, '')

const firstProblem = (problems: (string | undefined)[]): string | undefined =>
  problems.find((problem) => problem !== undefined)
