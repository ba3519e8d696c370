import type { FailureClass } from './model.ts'

export type PracticeTurn = {
  /** What it answers; without calls it is the end of the work. */
  say?: string
  calls?: { tool: string; args: Record<string, unknown> }[]
  /** It fails in this way instead of answering. */
  fail?: FailureClass
  /** It takes this long before it answers. */
  waitMs?: number
}

export type PracticeScript = { name?: string; turns: PracticeTurn[] }

const failures = ['unavailable', 'busy', 'quota', 'invalid_request', 'cut_off', 'refused']
const maxTurns = 200
const longestWaitMs = 60_000

/** Reads a script, or says in one sentence what is wrong with it and where. */
export function readPracticeScript(text: string): { script: PracticeScript } | { problem: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { problem: `The script is not JSON: ${error instanceof Error ? error.message : String(error)}.` }
  }
  if (!isRecord(value)) return { problem: 'The script must be an object with "turns".' }
  const unknown = Object.keys(value).find((key) => key !== 'name' && key !== 'turns')
  if (unknown !== undefined) return { problem: `The script has an unknown field "${unknown}".` }
  if (value['name'] !== undefined && typeof value['name'] !== 'string')
    return { problem: 'name must be a text.' }
  const { turns } = value
  if (!Array.isArray(turns) || turns.length === 0)
    return { problem: 'turns must be a list of at least one turn.' }
  if (turns.length > maxTurns) return { problem: `turns must be at most ${maxTurns}.` }
  for (const [at, turn] of turns.entries()) {
    const wrong = problemOf(turn)
    if (wrong !== undefined) return { problem: `turns[${at}]${wrong}.` }
  }
  return { script: value as PracticeScript }
}

function problemOf(turn: unknown): string | undefined {
  if (!isRecord(turn)) return ' must be an object'
  const unknown = Object.keys(turn).find((key) => !['say', 'calls', 'fail', 'waitMs'].includes(key))
  if (unknown !== undefined) return ` has an unknown field "${unknown}"`
  const { say, calls, fail, waitMs } = turn
  if (say !== undefined && typeof say !== 'string') return '.say must be a text'
  if (fail !== undefined && !failures.includes(String(fail)))
    return `.fail must be one of ${failures.join(', ')}`
  if (waitMs !== undefined && !(typeof waitMs === 'number' && waitMs >= 0 && waitMs <= longestWaitMs))
    return `.waitMs must be a number from 0 to ${longestWaitMs}`
  if (say === undefined && calls === undefined && fail === undefined)
    return ' needs one of say, calls and fail'
  return calls === undefined ? undefined : problemOfCalls(calls)
}

function problemOfCalls(calls: unknown): string | undefined {
  if (!Array.isArray(calls)) return '.calls must be a list'
  for (const [at, call] of calls.entries()) {
    if (!isRecord(call) || typeof call['tool'] !== 'string') return `.calls[${at}].tool must be a name`
    if (!isRecord(call['args'])) return `.calls[${at}].args must be an object`
  }
  return undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
