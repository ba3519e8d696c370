import type { Model, ModelEnd, ModelFailure, ModelRequest } from '@muster/llm/model'
import type { Delta } from './batch-deltas.ts'

/** A model has a second to end after its signal; this is for one that does not keep to its contract. */
const graceMs = 2_000

/**
 * One call of a model to its end, whatever the model does: `callMs` bounds it as a whole, and one that does not end when
 * it is told to is left alone, because nothing may hang on it.
 */
export async function ask(
  model: Model,
  request: ModelRequest,
  { callMs, onDelta }: { callMs: number; onDelta: (delta: Delta) => void },
): Promise<ModelEnd> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(), callMs)
  const signal = AbortSignal.any([request.signal, limit.signal])
  const left = leftAlone(signal)
  const events = model.ask({ ...request, signal })[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await Promise.race([events.next(), left.promise])
      if (next === undefined)
        return unanswered({ class: 'aborted', message: 'The model did not end when told to.' }, limit, callMs)
      if (next.done === true)
        return unanswered({ class: 'cut_off', message: 'The model stopped without an end.' }, limit, callMs)
      const event = next.value
      if (event.type !== 'end') onDelta({ channel: event.type, text: event.text })
      else if (event.end.ok) return event.end
      else return { ...event.end, failure: ownLimit(event.end.failure, limit, callMs) }
    }
  } finally {
    clearTimeout(timer)
    left.close()
    void events.return?.().catch(() => {})
  }
}

function leftAlone(signal: AbortSignal) {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  let timer: NodeJS.Timeout | undefined
  const start = () => (timer = setTimeout(() => resolve(undefined), graceMs))
  if (signal.aborted) start()
  else signal.addEventListener('abort', start, { once: true })
  return {
    promise,
    close() {
      clearTimeout(timer)
      signal.removeEventListener('abort', start)
    },
  }
}

function unanswered(failure: ModelFailure, limit: AbortController, callMs: number): ModelEnd {
  const usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, estimated: true }
  return { ok: false, failure: ownLimit(failure, limit, callMs), usage }
}

/** A call that we stopped because it took too long is a failure of the model and no wish of the caller. */
function ownLimit(failure: ModelFailure, limit: AbortController, callMs: number): ModelFailure {
  if (failure.class !== 'aborted' || !limit.signal.aborted) return failure
  return { class: 'cut_off', message: `The model did not end its answer within ${callMs / 1_000} s.` }
}
