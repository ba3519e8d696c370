import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { createEventStreamFetch } from './event-stream.ts'
import type { HttpPlace } from './place.ts'
import { createSdkWire } from './sdk-wire.ts'
import type { Wire } from './wire.ts'

/** `/v1/chat/completions`, as OpenAI, vLLM, llama.cpp, LM Studio and most gateways serve it. */
export function createOpenAiWire({ baseUrl, name, apiKey, headers }: HttpPlace): Wire {
  const provider = createOpenAICompatible({
    name: 'openai',
    baseURL: baseUrl.href,
    headers,
    fetch: createEventStreamFetch(withTextArguments),
    includeUsage: true,
    supportsStructuredOutputs: true,
    ...(apiKey !== undefined && { apiKey }),
    ...(baseUrl.hostname === 'api.openai.com' && { transformRequestBody: withNewNames }),
  })
  // Strict schemas may have no optional field; ours may.
  return createSdkWire(provider.chatModel(name), { openaiCompatible: { strictJsonSchema: false } })
}

/** OpenAI itself refuses the old name for its newer models; everybody else knows only the old one. */
function withNewNames({ max_tokens, ...body }: Record<string, unknown>): Record<string, unknown> {
  return max_tokens === undefined ? body : { ...body, max_completion_tokens: max_tokens }
}

type Delta = { tool_calls?: { function?: { arguments?: unknown } }[] }

/** Some servers send the arguments as the object that they are; the wire, and the SDK, know them as text. */
function withTextArguments(event: object): boolean {
  const choices = (event as { choices?: { delta?: Delta }[] }).choices
  if (!Array.isArray(choices)) return false
  let changed = false
  for (const choice of choices) {
    const calls = choice?.delta?.tool_calls
    for (const call of Array.isArray(calls) ? calls : []) {
      const made = call?.function
      if (typeof made?.arguments !== 'object' || made.arguments === null) continue
      made.arguments = JSON.stringify(made.arguments)
      changed = true
    }
  }
  return changed
}
