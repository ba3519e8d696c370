import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { jsonSchema, streamText, tool, type ModelMessage as SdkMessage, type ToolSet } from 'ai'
import type { Model, ModelMessage, ToolCall } from '@muster/llm/model'

/** The same library on the same wire as the bare loop, one step at a time, as a model that our loop can ask. */
export function sdkModel(url: string): Model {
  const model = createOpenAICompatible({ name: 'bench', baseURL: `${url}/v1`, includeUsage: true })(
    'scripted',
  )
  return {
    name: 'scripted',
    provider: 'openai',
    contextTokens: 32_768,
    async *ask({ messages, tools, maxOutputTokens, signal }) {
      const [system, ...rest] = messages
      const result = streamText({
        model,
        instructions: system?.role === 'system' ? system.text : '',
        messages: rest.map(sdkMessage),
        tools: sdkTools(tools),
        ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
        maxRetries: 0,
        abortSignal: signal,
      })
      const calls: ToolCall[] = []
      let text = ''
      for await (const part of result.fullStream) {
        if (part.type === 'error') throw part.error
        if (part.type === 'text-delta') {
          text += part.text
          yield { type: 'text', text: part.text }
        }
        if (part.type === 'tool-call') {
          calls.push({
            id: part.toolCallId,
            name: part.toolName,
            args: part.input as Record<string, unknown>,
          })
        }
      }
      const { inputTokens = 0, outputTokens = 0 } = await result.usage
      const usage = { inputTokens, outputTokens, cacheReadTokens: 0, cacheWriteTokens: 0, estimated: false }
      yield { type: 'end', end: { ok: true, text, calls, usage, why: 'stop' } }
    },
  }
}

function sdkTools(specs: { name: string; description: string; parameters: object }[]): ToolSet {
  return Object.fromEntries(
    specs.map(({ name, description, parameters }) => [
      name,
      tool({ description, inputSchema: jsonSchema(parameters) }),
    ]),
  )
}

function sdkMessage(message: ModelMessage): SdkMessage {
  if (message.role === 'tool') {
    const output = { type: 'text' as const, value: message.text }
    return {
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId: message.callId, toolName: message.name, output }],
    }
  }
  if (message.role !== 'assistant') return { role: message.role, content: message.text } as SdkMessage
  const said = message.text === '' ? [] : [{ type: 'text' as const, text: message.text }]
  const calls = message.calls.map(({ id, name, args }) => ({
    type: 'tool-call' as const,
    toolCallId: id,
    toolName: name,
    input: args,
  }))
  return { role: 'assistant', content: [...said, ...calls] }
}
