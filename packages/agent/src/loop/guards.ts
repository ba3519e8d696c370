import type { LoopState } from './state.ts'
import type { LoopLimits } from './tiers.ts'

/**
 * Where a loop stops that the model did not end. Before each call of the model the guards look, in this order, at what
 * was counted; the first that has something to say ends the loop with its ending, and the work so far is kept:
 *
 * - `timed_out`: the time of the whole work is up;
 * - `budget_exhausted`: the tokens, the money or the iterations are used up. There may be progress, and more of the same
 *   could have finished it;
 * - `repeated`: the model made the same calls with the same arguments round after round. More of it gives the same;
 * - `stalled`: there is no progress, in one of three ways: it answers nothing although it was asked to go on, its calls
 *   cannot be understood although it was told what is wrong, or it wrote files and then wrote none for some rounds.
 *
 * What costs comes first, because it must not be overrun whatever else is the matter; iterations come last, because each
 * of the others says more about why the work did not end.
 */
export type Limit = { ending: LimitEnding; reason: string }
export type LimitEnding = 'timed_out' | 'budget_exhausted' | 'repeated' | 'stalled'
export type Guard = (state: LoopState, limits: LoopLimits) => Limit | undefined

export const guards: readonly Guard[] = [
  time,
  tokens,
  money,
  malformed,
  sameCalls,
  silence,
  noWrites,
  iterations,
]

export function firstLimit(state: LoopState, limits: LoopLimits): Limit | undefined {
  for (const guard of guards) {
    const limit = guard(state, limits)
    if (limit !== undefined) return limit
  }
  return undefined
}

function time({ elapsedMs }: LoopState, { wallMs }: LoopLimits): Limit | undefined {
  if (elapsedMs < wallMs) return undefined
  return { ending: 'timed_out', reason: `The ${seconds(wallMs)} for this work are over.` }
}

function tokens({ usage }: LoopState, limits: LoopLimits): Limit | undefined {
  const used = usage.inputTokens + usage.outputTokens
  if (used < limits.tokens) return undefined
  return exhausted(`${used} of ${limits.tokens} tokens are used up.`)
}

function money({ costMicroUsd }: LoopState, { microUsd }: LoopLimits): Limit | undefined {
  if (microUsd === null || costMicroUsd < microUsd) return undefined
  // A budget of nothing still lets through what costs nothing.
  if (microUsd === 0 && costMicroUsd === 0) return undefined
  return exhausted(`${dollars(costMicroUsd)} of ${dollars(microUsd)} are spent.`)
}

function malformed({ malformedRounds }: LoopState, limits: LoopLimits): Limit | undefined {
  if (malformedRounds < limits.malformedRounds) return undefined
  return stalled(`In ${malformedRounds} rounds in a row no call of the model could be understood.`)
}

function sameCalls({ sameRounds, round }: LoopState, limits: LoopLimits): Limit | undefined {
  if (round === '' || sameRounds < limits.sameRounds) return undefined
  return { ending: 'repeated', reason: `The model made the same calls in ${sameRounds} rounds in a row.` }
}

function silence({ emptyAnswers }: LoopState, { nudges }: LoopLimits): Limit | undefined {
  if (emptyAnswers <= nudges) return undefined
  return stalled(
    `The model gave no usable answer ${emptyAnswers} times in a row, although it was asked to go on.`,
  )
}

function noWrites({ roundsWithoutWrite }: LoopState, limits: LoopLimits): Limit | undefined {
  if (roundsWithoutWrite === null || roundsWithoutWrite < limits.roundsWithoutWrite) return undefined
  return stalled(`No file was written in the ${roundsWithoutWrite} rounds since the last one was.`)
}

function iterations(state: LoopState, limits: LoopLimits): Limit | undefined {
  if (state.iterations < limits.iterations) return undefined
  return exhausted(`All ${limits.iterations} iterations are used up, and the model had not finished.`)
}

const exhausted = (reason: string): Limit => ({ ending: 'budget_exhausted', reason })
const stalled = (reason: string): Limit => ({ ending: 'stalled', reason })
const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`
const dollars = (micro: number) => `$${(micro / 1e6).toFixed(4)}`
