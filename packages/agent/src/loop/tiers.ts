export type Tier = 'trivial' | 'standard' | 'complex'

/** Every number at which a loop stops, or is pulled back. */
export type LoopLimits = {
  /** Whole answers of the model; each attempt after failed checks has as many again. */
  iterations: number
  /** Input and output of all calls together, over all attempts. */
  tokens: number
  /** Millionths of a US dollar, over all attempts; null: no limit of its own. */
  microUsd: number | null
  /** From the first call to the last, over all attempts and resumed runs. */
  wallMs: number
  /** One call of the model. */
  callMs: number
  /** One call of the model without any event of it. */
  silenceMs: number
  /** Tokens of one answer. */
  outputTokens: number
  /** Rounds with the same calls and the same arguments. */
  sameRounds: number
  /** Rounds without a written file, once one was written. */
  roundsWithoutWrite: number
  /** How often a model that answers nothing is asked to go on. */
  nudges: number
  /** Rounds in which no call could be understood. */
  malformedRounds: number
  /** Calls that are run of one answer. */
  callsPerAnswer: number
}

const common = {
  microUsd: null,
  silenceMs: 120_000,
  outputTokens: 4_096,
  sameRounds: 3,
  roundsWithoutWrite: 5,
  nudges: 2,
  malformedRounds: 3,
  callsPerAnswer: 16,
}

/**
 * Iterations are those of LOOP-02 and wall clocks the execution deadlines of the design. Tokens have room for every
 * iteration of five attempts in a window of 8k for trivial work and of 32k for the rest; they stop a run that sends a full
 * large window again and again. A call may last as long as a small model on a processor needs for 4k tokens of answer.
 */
const byTier: Record<Tier, LoopLimits> = {
  trivial: { ...common, iterations: 5, tokens: 200_000, wallMs: 10 * 60_000, callMs: 120_000 },
  standard: { ...common, iterations: 10, tokens: 1_600_000, wallMs: 30 * 60_000, callMs: 300_000 },
  complex: { ...common, iterations: 20, tokens: 3_200_000, wallMs: 30 * 60_000, callMs: 600_000 },
}

/** Settings override single numbers; what they leave undefined stays that of the tier. */
export function limitsFor(
  tier: Tier,
  settings: { [K in keyof LoopLimits]?: LoopLimits[K] | undefined } = {},
): LoopLimits {
  const said = Object.entries(settings).filter(([, value]) => value !== undefined)
  return { ...byTier[tier], ...Object.fromEntries(said) }
}
