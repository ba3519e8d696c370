import type { ModelMessage, ToolSpec } from '../model.ts'
import { condense } from './condense.ts'
import { estimateMessage, estimateRequest } from './tokens.ts'
import { trimResults } from './trim.ts'
import { type Turn, turnsOf } from './turns.ts'

export type FitInput = {
  messages: readonly ModelMessage[]
  tools?: readonly ToolSpec[]
  contextTokens: number
  reserveForAnswer: number
  /** How many tokens of this model one estimated token is (`calibrate`). */
  scale?: number
}

export type Fitted = { messages: ModelMessage[]; tokens: number; fits: boolean }

/** What the newest turns keep, tried from the most to the least: how many of them, and how long their results may be. */
const stages = [
  { newest: 3, old: 4_000, recent: Number.POSITIVE_INFINITY },
  { newest: 2, old: 1_500, recent: 8_000 },
  { newest: 1, old: 500, recent: 3_000 },
  { newest: 1, old: 200, recent: 800 },
]

/**
 * The conversation made small enough for the model. It is left alone if it fits. Else, stage by stage, the results of tools
 * are trimmed, first the old ones, and the oldest turns are condensed into one message, as few as possible. The system, the
 * task and what is marked `keep` stay as they are; calls stay with their results; the order stays. If that is not enough,
 * the answer is the smallest that there is and says that it does not fit.
 */
export function fitContext(input: FitInput): Fitted {
  const { messages, contextTokens, reserveForAnswer, scale = 1 } = input
  const tools = [...(input.tools ?? [])]
  const room = contextTokens - reserveForAnswer
  const measure = (tried: readonly ModelMessage[]) => Math.ceil(estimateRequest([...tried], tools) * scale)
  const whole = measure(messages)
  if (whole <= room) return { messages: [...messages], tokens: whole, fits: true }
  const turns = turnsOf(messages)
  let smallest: Fitted = { messages: [...messages], tokens: whole, fits: false }
  for (const stage of stages) {
    const tried = shrink(turns, stage, (size) => Math.ceil(size * scale) + measure([]) <= room)
    const tokens = measure(tried)
    if (tokens <= room) return { messages: tried, tokens, fits: true }
    if (smallest === undefined || tokens < smallest.tokens)
      smallest = { messages: tried, tokens, fits: false }
  }
  return smallest
}

/** The least that has to be condensed at this stage; all that may be, where that is not enough. */
function shrink(
  turns: Turn[],
  { newest, old, recent }: (typeof stages)[number],
  fits: (tokens: number) => boolean,
): ModelMessage[] {
  const from = beginOfNewest(turns, newest)
  const trimmed = turns.map((turn, at) => ({
    ...turn,
    messages: trimResults(turn.messages, at < from ? old : recent),
  }))
  const loose = trimmed.flatMap((turn, at) => (at < from && !turn.isPinned ? [at] : []))
  const sizes = trimmed.map((turn) => sizeOf(turn.messages))
  let size = sizes.reduce((sum, each) => sum + each, 0)
  for (let count = 0; count < loose.length; count++) {
    const summary = count === 0 ? 0 : estimateMessage(condense(pick(trimmed, loose.slice(0, count))))
    if (fits(size + summary)) return replaced(trimmed, loose.slice(0, count))
    size -= sizes[loose[count] ?? -1] ?? 0
  }
  return replaced(trimmed, loose)
}

/** Where the newest turns begin: of those of the model, since what people said is kept or short. */
function beginOfNewest(turns: Turn[], newest: number): number {
  const answers = turns.flatMap((turn, at) => (turn.messages[0]?.role === 'assistant' ? [at] : []))
  return answers.at(-newest) ?? answers[0] ?? turns.length
}

/** The summary stands where the first of the turns stood that it is of. */
function replaced(turns: Turn[], gone: number[]): ModelMessage[] {
  const [first] = gone
  if (first === undefined) return turns.flatMap((turn) => turn.messages)
  const summary = condense(pick(turns, gone))
  const isGone = new Set(gone)
  return turns.flatMap((turn, at) => {
    if (at === first) return [summary]
    return isGone.has(at) ? [] : turn.messages
  })
}

const pick = (turns: Turn[], places: number[]): Turn[] => places.flatMap((at) => turns[at] ?? [])

const sizeOf = (messages: ModelMessage[]): number =>
  messages.reduce((sum, message) => sum + estimateMessage(message), 0)
