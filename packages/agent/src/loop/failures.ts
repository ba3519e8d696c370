import type { ModelFailure } from '@muster/llm/model'
import type { LoopState } from './state.ts'

export type AfterFailure = { do: 'again'; afterMs: number } | { do: 'shrink' } | { do: 'end' }

/** After these waits; then whoever chose the endpoint must choose another. */
const waitsMs = [1_000, 4_000]

/**
 * What to do when a call of the model failed. What may work in a moment is tried again, twice; a conversation that was too
 * long is made shorter, once. All else would fail again: it ends the loop, and the hub decides (`quota` parks the task).
 */
export function afterFailure(failure: ModelFailure, { failures, shrunk }: LoopState): AfterFailure {
  if (isTooLong(failure)) return shrunk === 0 ? { do: 'shrink' } : { do: 'end' }
  if (!passing.has(failure.class)) return { do: 'end' }
  const afterMs = waitsMs[failures - 1]
  return afterMs === undefined ? { do: 'end' } : { do: 'again', afterMs }
}

const passing = new Set(['busy', 'unavailable', 'cut_off'])

/** No wire has a code of its own for it; these are the words of Ollama, OpenAI, Anthropic and llama.cpp's server. */
function isTooLong({ class: is, status, message }: ModelFailure): boolean {
  if (is !== 'invalid_request') return false
  return (
    status === 413 ||
    /context[ _-]?(length|window|size)|prompt is too long|too many tokens|maximum context|exceed\w* .{0,40}context/i.test(
      message,
    )
  )
}
