import type { Model, ModelMessage, ToolSpec } from '../model.ts'
import { fitContext } from './fit-context.ts'

type Room = {
  contextTokens: number
  maxOutputTokens: number
  tools: readonly ToolSpec[]
  /** How often the server has said that the conversation was too long, whatever we estimated. */
  shrunk: number
}

/** What of a conversation is shown to this model: `fitContext` with what its server has counted so far. */
export function createFit(model: Pick<Model, 'scale'>) {
  return (messages: readonly ModelMessage[], { contextTokens, maxOutputTokens, tools, shrunk }: Room) =>
    fitContext({
      messages,
      tools,
      contextTokens: contextTokens * 0.7 ** shrunk,
      // An answer that might be as long as the window leaves room for no question.
      reserveForAnswer: Math.min(maxOutputTokens, contextTokens / 2),
      scale: model.scale?.() ?? 1,
    }).messages
}
