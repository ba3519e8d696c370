import { estimateRequest, tokensOfLength } from '../context/tokens.ts'
import type { ModelRequest, Usage } from '../model.ts'
import type { WireCounts } from './wire.ts'

/** What the server counted, and an estimate of what it did not; `written` are the characters of the answer. */
export function usageOf(request: ModelRequest, written: number, counts: WireCounts): Usage {
  const input = count(counts.input)
  const output = count(counts.output)
  return {
    inputTokens: input ?? estimateRequest(request.messages, request.tools),
    outputTokens: output ?? tokensOfLength(written),
    cacheReadTokens: count(counts.cacheRead) ?? 0,
    cacheWriteTokens: count(counts.cacheWrite) ?? 0,
    estimated: input === undefined || output === undefined,
  }
}

export const noUsage: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  estimated: false,
}

/** A number that a server sent, if it can be a count of tokens. */
const count = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isSafeInteger(value) && value >= 0 && value < 1e9 ? value : undefined
