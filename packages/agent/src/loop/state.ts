import { createHash } from 'node:crypto'
import type { ToolCall, Usage } from '@muster/llm/model'
import type { Observation } from './toolbox.ts'

/**
 * What a loop has counted: plain data that is stored with each step and read back by the run that goes on. The guards
 * decide by nothing else.
 */
export type LoopState = {
  /** Recorded steps; the next one's number is one more. */
  steps: number
  /** Messages of the conversation that are recorded with a step; the rest goes with the next one. */
  recorded: number
  /** Whole answers of the model in this attempt. */
  iterations: number
  /** Attempts before this one, each ended by failed checks. */
  fixes: number
  toolCalls: number
  usage: Usage
  costMicroUsd: number
  elapsedMs: number
  /** The last round's calls, and how many rounds in a row they were those. */
  round: string
  sameRounds: number
  /** Null until a file was written. */
  roundsWithoutWrite: number | null
  emptyAnswers: number
  malformedRounds: number
  /** Calls of the model that failed since its last answer, and how often the conversation was made shorter for it. */
  failures: number
  shrunk: number
  /** How many tokens of the model one that we estimate is. */
  tokenScale: number
  /** Files that were written, by the path that the model gave. */
  written: string[]
}

export const noUsage: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  estimated: false,
}

/** What counts within one attempt. */
export const freshAttempt = {
  iterations: 0,
  round: '',
  sameRounds: 0,
  roundsWithoutWrite: null,
  emptyAnswers: 0,
  malformedRounds: 0,
  failures: 0,
  shrunk: 0,
}

export const firstState: LoopState = {
  ...freshAttempt,
  steps: 0,
  recorded: 0,
  fixes: 0,
  toolCalls: 0,
  usage: noUsage,
  costMicroUsd: 0,
  elapsedMs: 0,
  tokenScale: 1,
  written: [],
}

export function afterUsage(state: LoopState, usage: Usage, costMicroUsd: number): LoopState {
  const sum = {
    inputTokens: state.usage.inputTokens + usage.inputTokens,
    outputTokens: state.usage.outputTokens + usage.outputTokens,
    cacheReadTokens: state.usage.cacheReadTokens + usage.cacheReadTokens,
    cacheWriteTokens: state.usage.cacheWriteTokens + usage.cacheWriteTokens,
    estimated: state.usage.estimated || usage.estimated,
  }
  return { ...state, usage: sum, costMicroUsd: state.costMicroUsd + costMicroUsd }
}

/** `isEmpty`: it led nowhere, with neither a call nor a whole text. */
export function afterAnswer(state: LoopState, calls: readonly ToolCall[], isEmpty: boolean): LoopState {
  const round = fingerprint(calls)
  const isSame = round !== '' && round === state.round
  return {
    ...state,
    iterations: state.iterations + 1,
    failures: 0,
    round,
    sameRounds: isSame ? state.sameRounds + 1 : 1,
    roundsWithoutWrite: state.roundsWithoutWrite === null ? null : state.roundsWithoutWrite + 1,
    emptyAnswers: isEmpty ? state.emptyAnswers + 1 : 0,
    // Until one of its calls is understood.
    malformedRounds: calls.length === 0 ? state.malformedRounds : state.malformedRounds + 1,
  }
}

export function afterCall(state: LoopState, call: ToolCall, observation: Observation): LoopState {
  const path = writtenPath(call, observation)
  return {
    ...state,
    toolCalls: state.toolCalls + 1,
    malformedRounds: misunderstood.has(observation.code ?? '') ? state.malformedRounds : 0,
    roundsWithoutWrite: path === undefined ? state.roundsWithoutWrite : 0,
    written: path === undefined || state.written.includes(path) ? state.written : [...state.written, path],
  }
}

/** Codes that say that the call itself was wrong, and not what it was about. */
const misunderstood = new Set(['MALFORMED_CALL', 'UNKNOWN_TOOL', 'INVALID_ARGUMENTS'])
const writers = new Set(['write_file', 'edit_file'])

/** As the tool names it; a model may have written it in another way. */
function writtenPath({ name, args }: ToolCall, { success, changed, path }: Observation): string | undefined {
  if (!success || changed !== true || !writers.has(name)) return undefined
  return [path, args['path'], ''].find((each) => typeof each === 'string')
}

/** What a checkpoint found: a command that changed files has written, too. */
export function afterChange(state: LoopState): LoopState {
  return state.roundsWithoutWrite === null ? state : { ...state, roundsWithoutWrite: 0 }
}

/**
 * The same for the same calls with the same arguments in the same order, whatever the order of their fields; empty for
 * none, and for calls that could not be read, of which one cannot know that they were the same.
 */
export function fingerprint(calls: readonly ToolCall[]): string {
  if (calls.length === 0 || calls.some((call) => call.malformed !== undefined)) return ''
  const said = JSON.stringify(calls.map((call) => [call.name, sorted(call.args)]))
  return createHash('sha256').update(said).digest('hex')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  // An array of pairs: numeric names of an object would be put in an order of their own.
  return { fields: fields.map(([name, each]) => [name, sorted(each)]) }
}
