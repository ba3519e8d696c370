import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { isStepCount, jsonSchema, streamText, tool, type ToolSet } from 'ai'
import type { Toolbox } from '@muster/agent/loop/toolbox'

/** The loop of the AI SDK, as its documentation has it, with nothing of ours around it but the tools. */
export async function bareLoop(url: string, system: string, task: string, toolbox: Toolbox): Promise<string> {
  const model = createOpenAICompatible({ name: 'bench', baseURL: `${url}/v1`, includeUsage: true })(
    'scripted',
  )
  const { signal } = new AbortController()
  const tools: ToolSet = Object.fromEntries(
    toolbox.specs.map(({ name, description, parameters }) => [
      name,
      tool({
        description,
        inputSchema: jsonSchema(parameters),
        async execute(args: unknown, { toolCallId }) {
          const call = { id: toolCallId, name, args: args as Record<string, unknown> }
          return JSON.stringify({ ...(await toolbox.run(call, { signal })), changed: undefined })
        },
      }),
    ]),
  )
  const messages = [{ role: 'user' as const, content: task }]
  const result = streamText({
    model,
    instructions: system,
    messages,
    tools,
    stopWhen: isStepCount(100),
    maxRetries: 0,
  })
  for await (const part of result.fullStream) if (part.type === 'error') throw part.error
  return result.text
}
