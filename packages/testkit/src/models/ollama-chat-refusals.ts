import type { Catalogue } from './ollama-catalogue.ts'

export type Refusal = { status: number; error: string }

type ChatBody = {
  model?: unknown
  messages?: unknown
  tools?: unknown
  think?: unknown
  stream?: unknown
}

/** What Ollama says before it generates anything, in its order and its words. */
export function refuseChat(text: string, body: unknown, catalogue: Catalogue): Refusal | undefined {
  const unreadable = refuseBody(text, body)
  if (unreadable !== undefined) return unreadable
  const { model, messages, tools, think } = body as ChatBody
  if (messages !== undefined && messages !== null && !Array.isArray(messages)) {
    return bad(
      `json: cannot unmarshal ${kindOf(messages)} into Go struct field ChatRequest.messages of type []api.Message`,
    )
  }
  const thinks = ['low', 'medium', 'high', 'max', true, false, null, undefined]
  if (!thinks.includes(think as string)) {
    return bad(
      `invalid think value: ${JSON.stringify(think)} (must be "high", "medium", "low", "max", true, or false)`,
    )
  }
  const unknown = refuseModel(model, catalogue)
  if (unknown !== undefined) return unknown
  const { capabilities = [], name = '' } = catalogue.find(String(model)) ?? {}
  if (!capabilities.includes('completion')) return bad(`"${String(model)}" does not support chat`)
  if (Array.isArray(tools) && tools.length > 0 && !capabilities.includes('tools')) {
    return bad(`registry.ollama.ai/library/${name} does not support tools`)
  }
  if (Boolean(think) && !capabilities.includes('thinking')) {
    return bad(`"${String(model)}" does not support thinking`)
  }
  return undefined
}

export function refuseBody(text: string, body: unknown): Refusal | undefined {
  if (text === '') return bad('missing request body')
  if (body === undefined) {
    return bad(`invalid character '${text.trimStart()[0] ?? ''}' looking for beginning of value`)
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return bad(`json: cannot unmarshal ${kindOf(body)} into Go value of type api.ChatRequest`)
  }
  return undefined
}

export function refuseModel(model: unknown, catalogue: Catalogue): Refusal | undefined {
  if (model === undefined || model === '') return bad('model is required')
  if (typeof model !== 'string' || !/^[\w.\-/:]+$/.test(model)) return bad('invalid model name')
  if (catalogue.find(model) === undefined) return { status: 404, error: `model '${model}' not found` }
  return undefined
}

const bad = (error: string): Refusal => ({ status: 400, error })

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value
}
