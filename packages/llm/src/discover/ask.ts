import { ZodError } from 'zod'
import { askListing } from './ask-listing.ts'
import { askOllama } from './ask-ollama.ts'
import { Unanswered } from './fetch-json.ts'

/** A model as its server describes it; null for what it does not say. */
export type Found = {
  name: string
  digest: string | null
  contextTokens: number | null
  capabilities: string[] | null
  parameterSize: string | null
  quantization: string | null
  warm: boolean
  vramBytes: number | null
  remote: boolean
}
export type Answer = { version: string | null; models: Found[] }
export type Asked = {
  kind: 'ollama' | 'openai' | 'anthropic'
  url: string
  key: string | null
  /** Of a server that does not list its models. */
  named: string[]
  /** What an earlier check found. */
  known: Found[]
  limitMs: number
  signal?: AbortSignal
}

// LLM-12.
const limitMs = 5_000
// More is no shelf of models but a server that means us no good.
const mostModels = 500

/** Asks an endpoint how it is and what it has. Never throws: why it does not answer is an answer too. */
export async function ask(asked: Omit<Asked, 'limitMs'>): Promise<Answer | { why: string }> {
  try {
    const answer = await (asked.kind === 'ollama' ? askOllama : askListing)({ ...asked, limitMs })
    return { version: answer.version?.slice(0, 64) ?? null, models: fit(answer.models) }
  } catch (error) {
    if (error instanceof Unanswered) return { why: error.message }
    if (error instanceof ZodError) return { why: `what it answers is not what ${wires[asked.kind]} says` }
    throw error
  }
}

const wires = { ollama: 'an Ollama', openai: 'an OpenAI-compatible server', anthropic: 'Anthropic' }

// As the contract has it, which a server need not keep to.
const modelName = /^[\w.:/@+-]{1,200}$/

/** Names go to pages, terminals and requests: those in another form than a name are left out. */
export function fit(models: Found[]): Found[] {
  const byName = new Map(
    models.filter(({ name }) => modelName.test(name)).map((model) => [model.name, model]),
  )
  return [...byName.values()].slice(0, mostModels).map((model) => ({
    ...model,
    digest: model.digest?.slice(0, 128) ?? null,
    contextTokens: whole(model.contextTokens, 1, 100_000_000),
    capabilities: model.capabilities?.slice(0, 32).map((name) => plain(name, 32)) ?? null,
    parameterSize: model.parameterSize === null ? null : plain(model.parameterSize, 32),
    quantization: model.quantization === null ? null : plain(model.quantization, 32),
    vramBytes: whole(model.vramBytes, 0, Number.MAX_SAFE_INTEGER),
  }))
}

function whole(value: number | null, least: number, most: number): number | null {
  return value === null || !Number.isInteger(value) || value < least || value > most ? null : value
}

function plain(text: string, most: number): string {
  return text.replaceAll(/[^\w .:+-]/g, '').slice(0, most)
}
