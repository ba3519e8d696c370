import { calibrate } from '@muster/llm/context/calibrate'
import { fitContext } from '@muster/llm/context/fit-context'
import type { Model, ModelMessage, ToolSpec, Usage } from '@muster/llm/model'
import type { LoopState } from './state.ts'
import type { LoopLimits } from './tiers.ts'

/** Of the window, each time that the server said that a conversation was too long for it after all. */
const shrinking = 0.6
/** Of the window, kept for the answer however long the conversation is. */
const forAnswer = 0.25

/**
 * What of the conversation the model is shown, and how long its answer may be: in its window both have room, and neither
 * may use more tokens than are left. What is recorded is the whole conversation; this is made anew for each call.
 */
export function whatIsShown(
  messages: readonly ModelMessage[],
  { model, tools, limits, state }: { model: Model; tools: ToolSpec[]; limits: LoopLimits; state: LoopState },
) {
  const contextTokens = Math.floor(model.contextTokens * shrinking ** state.shrunk)
  const left = Math.max(1, limits.tokens - state.usage.inputTokens - state.usage.outputTokens)
  const most = Math.min(limits.outputTokens, left)
  const reserveForAnswer = Math.min(most, Math.floor(contextTokens * forAnswer))
  const scale = state.tokenScale
  const fitted = fitContext({ messages, tools, contextTokens, reserveForAnswer, scale })
  const maxOutputTokens = Math.max(
    1,
    Math.min(most, Math.max(reserveForAnswer, contextTokens - fitted.tokens)),
  )
  return { messages: fitted.messages, maxOutputTokens, estimated: Math.ceil(fitted.tokens / scale) }
}

/**
 * How much longer the model's own tokens make a text than the estimate, from what its server counted. Never shorter: some
 * count only what they had not cached.
 */
export function learnedScale(state: LoopState, estimated: number, usage: Usage): number {
  if (usage.estimated) return state.tokenScale
  return Math.max(1, calibrate(state.tokenScale, { estimated, counted: usage.inputTokens }))
}
