import type { ModelMessage, ToolSpec } from '../model.ts'

/**
 * Tokens are estimated by length: about 3.5 characters a token for code and English with the tokenizers of Llama, Qwen,
 * GPT and Claude. Text that is not ASCII is shorter than its tokens; each such character counts for more.
 */
const charactersPerToken = 3.5
/** Role, separators and, for calls, the frame that the chat template puts around them. */
const perMessage = 4
const perCall = 12

export function estimateTokens(text: string): number {
  let wide = 0
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x2ff) wide++
  return tokensOfLength(text.length - wide) + wide
}

export const tokensOfLength = (characters: number): number => Math.ceil(characters / charactersPerToken)

export function estimateMessage(message: ModelMessage): number {
  let tokens = perMessage + estimateTokens(message.text)
  if (message.role === 'assistant') {
    for (const call of message.calls) {
      tokens += perCall + estimateTokens(call.name) + estimateTokens(JSON.stringify(call.args))
    }
  }
  return tokens
}

export function estimateRequest(messages: ModelMessage[], tools: ToolSpec[]): number {
  let tokens = 0
  for (const message of messages) tokens += estimateMessage(message)
  for (const tool of tools) tokens += perCall + estimateTokens(JSON.stringify(tool))
  return tokens
}
