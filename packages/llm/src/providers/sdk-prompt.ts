import type { JSONObject, LanguageModelV4Prompt } from '@ai-sdk/provider'
import type { ModelMessage } from '../model.ts'

type Assistant = Extract<ModelMessage, { role: 'assistant' }>
type PromptMessage = LanguageModelV4Prompt[number]

/**
 * Our messages as the SDK wants them: what the system says stands first and in one piece, because two wires allow it
 * nowhere else; an answer without words and calls is left out, because it would be refused.
 */
export function toPrompt(messages: ModelMessage[]): LanguageModelV4Prompt {
  const system = messages.flatMap((message) => (message.role === 'system' ? [message.text] : []))
  const rest = messages.flatMap(toPromptMessage)
  return system.length === 0 ? rest : [{ role: 'system', content: system.join('\n\n') }, ...rest]
}

function toPromptMessage(message: ModelMessage): PromptMessage[] {
  switch (message.role) {
    case 'system':
      return []
    case 'user':
      return [{ role: 'user', content: [{ type: 'text', text: message.text }] }]
    case 'tool':
      return [toResult(message)]
    case 'assistant':
      return message.text === '' && message.calls.length === 0 ? [] : [toAssistant(message)]
  }
}

function toResult({ callId, name, text }: Extract<ModelMessage, { role: 'tool' }>): PromptMessage {
  const output = { type: 'text' as const, value: text }
  return { role: 'tool', content: [{ type: 'tool-result', toolCallId: callId, toolName: name, output }] }
}

function toAssistant({ text, calls }: Assistant): PromptMessage {
  const said = text === '' ? [] : [{ type: 'text' as const, text }]
  return {
    role: 'assistant',
    content: [
      ...said,
      ...calls.map(({ id, name, args }) => ({
        type: 'tool-call' as const,
        toolCallId: id,
        toolName: name,
        input: args as JSONObject,
      })),
    ],
  }
}
