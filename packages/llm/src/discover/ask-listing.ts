import { z } from 'zod'
import type { Answer, Asked, Found } from './ask.ts'
import { fetchJson } from './fetch-json.ts'

// `data` of OpenAI and Anthropic; `context_length`, `max_model_len` and `max_input_tokens` are what some servers add.
const listing = z.object({
  data: z
    .array(
      z.object({
        id: z.string(),
        context_length: z.number().nullish(),
        max_model_len: z.number().nullish(),
        max_input_tokens: z.number().nullish(),
      }),
    )
    .nullish(),
})

/** Models that hold no conversation, told by their names because these lists say nothing else about them. */
const notForChat = /embed|whisper|tts|dall-e|moderation|image|transcri|realtime|audio|sora|rerank/i

/** What a server with OpenAI's or Anthropic's wire lists. */
export async function askListing({ kind, url, key, limitMs, named, signal }: Asked): Promise<Answer> {
  const path = kind === 'anthropic' ? '/models?limit=1000' : '/models'
  const said = listing.parse(
    await fetchJson(`${url}${path}`, { limitMs, signal, headers: headersOf(kind, key) }),
  )
  const listed = (said.data ?? []).map((model) =>
    found(model.id, model.context_length ?? model.max_model_len ?? model.max_input_tokens ?? null),
  )
  const more = named.filter((name) => !listed.some((model) => model.name === name))
  return { version: null, models: [...listed, ...more.map((name) => found(name, null))] }
}

function headersOf(kind: Asked['kind'], key: string | null): Record<string, string> {
  if (kind === 'anthropic') {
    return { 'anthropic-version': '2023-06-01', ...(key === null ? {} : { 'x-api-key': key }) }
  }
  return key === null ? {} : { authorization: `Bearer ${key}` }
}

function found(name: string, contextTokens: number | null): Found {
  return {
    name,
    digest: null,
    contextTokens,
    capabilities: notForChat.test(name) ? [] : null,
    parameterSize: null,
    quantization: null,
    warm: false,
    vramBytes: null,
    remote: false,
  }
}
