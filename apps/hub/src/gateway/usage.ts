import type { Usage } from '@muster/contract/loop'
import { isRecord, type Protocol } from './protocols.ts'

type Json = Record<string, unknown>

// What is looked at of one line or one whole answer. A server that sends more is not believed about its tokens.
const longestLine = 8 * 1024 * 1024

/**
 * Reads from an answer, as it passes, how many tokens it took. Null when it never said: then nobody knows, and the caller
 * counts the most that it could have been.
 */
export function usageReader(protocol: Protocol) {
  let rest = ''
  let seen: Partial<Usage> = {}
  let overlong = false
  const take = (line: string) => {
    const text = line.startsWith('data:') ? line.slice(5).trim() : line.trim()
    if (!text.startsWith('{')) return
    try {
      const value: unknown = JSON.parse(text)
      if (isRecord(value)) seen = { ...seen, ...usageIn(protocol, value) }
    } catch {
      // Half a line, or no JSON: it says nothing about tokens.
    }
  }
  return {
    push(text: string): void {
      if (overlong) return
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) take(line)
      if (rest.length > longestLine) overlong = true
    },
    end(): Usage | null {
      if (!overlong) take(rest)
      const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = seen
      if (overlong || inputTokens === undefined || outputTokens === undefined) return null
      return { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, estimated: false }
    },
  }
}

function usageIn(protocol: Protocol, value: Json): Partial<Usage> {
  switch (protocol) {
    case 'openai_chat':
      return fromChat(value['usage'])
    case 'openai_responses':
      return fromResponses(isRecord(value['response']) ? value['response']['usage'] : value['usage'])
    case 'anthropic':
      return fromMessages(isRecord(value['message']) ? value['message']['usage'] : value['usage'])
    case 'ollama':
      return value['done'] === true ? fromOllama(value) : {}
  }
}

function fromChat(usage: unknown): Partial<Usage> {
  if (!isRecord(usage)) return {}
  const details = isRecord(usage['prompt_tokens_details']) ? usage['prompt_tokens_details'] : {}
  return present({
    inputTokens: tokens(usage['prompt_tokens']),
    outputTokens: tokens(usage['completion_tokens']),
    cacheReadTokens: tokens(details['cached_tokens']),
  })
}

function fromResponses(usage: unknown): Partial<Usage> {
  if (!isRecord(usage)) return {}
  const details = isRecord(usage['input_tokens_details']) ? usage['input_tokens_details'] : {}
  return present({
    inputTokens: tokens(usage['input_tokens']),
    outputTokens: tokens(usage['output_tokens']),
    cacheReadTokens: tokens(details['cached_tokens']),
  })
}

/** Anthropic counts what the cache gave apart from the input; here it is part of it. */
function fromMessages(usage: unknown): Partial<Usage> {
  if (!isRecord(usage)) return {}
  const read = tokens(usage['cache_read_input_tokens'])
  const written = tokens(usage['cache_creation_input_tokens'])
  const plain = tokens(usage['input_tokens'])
  return present({
    inputTokens: plain === undefined ? undefined : plain + (read ?? 0) + (written ?? 0),
    outputTokens: tokens(usage['output_tokens']),
    cacheReadTokens: read,
    cacheWriteTokens: written,
  })
}

/** Zero counters are left out by the server. */
function fromOllama(value: Json): Partial<Usage> {
  return {
    inputTokens: tokens(value['prompt_eval_count']) ?? 0,
    outputTokens: tokens(value['eval_count']) ?? 0,
  }
}

function tokens(value: unknown): number | undefined {
  const isCount = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < 1e9
  return isCount ? value : undefined
}

function present(usage: { [K in keyof Usage]?: Usage[K] | undefined }): Partial<Usage> {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== undefined))
}
