import { estimateRequest } from '../context/tokens.ts'
import type { ModelEnd, ModelEvent, ModelRequest } from '../model.ts'
import { createAnswer } from './answer.ts'
import { classify } from './classify.ts'
import { CallerAborted, KnownFailure } from './faults.ts'
import { defaultSilenceMs } from './limits.ts'
import { waitFor } from './next-part.ts'
import type { Wire } from './wire.ts'

export type Frame = {
  wire: Wire
  /** Where it asks, for a person: no secrets. */
  place: string
  /** What must never be in a message. */
  secrets: string[]
  /** Told of each prompt that the server counted. */
  learn?: (prompt: { estimated: number; counted: number }) => void
}

/**
 * The contract of `Model.ask` around any wire: one `end`, no throw, silence and abort within their limits, the
 * connection closed whatever happens, also when the caller leaves its loop.
 */
export async function* ask(frame: Frame, request: ModelRequest): AsyncGenerator<ModelEvent> {
  const connection = new AbortController()
  const answer = createAnswer(request)
  let end: ModelEnd | undefined
  try {
    yield* relay(frame.wire, request, connection.signal, answer)
    end = answer.end()
    if (!end.usage.estimated) {
      const estimated = estimateRequest(request.messages, request.tools)
      frame.learn?.({ estimated, counted: end.usage.inputTokens })
    }
  } catch (error) {
    const failure = classify(request.signal.aborted ? new CallerAborted() : error, {
      begun: answer.begun(),
      place: frame.place,
      secrets: frame.secrets,
      now: new Date(),
    })
    end = { ok: false, failure, usage: answer.spent() }
  } finally {
    connection.abort()
  }
  yield { type: 'end', end }
}

async function* relay(
  wire: Wire,
  request: ModelRequest,
  connection: AbortSignal,
  answer: ReturnType<typeof createAnswer>,
): AsyncGenerator<ModelEvent> {
  if (request.signal.aborted) throw new CallerAborted()
  const silence = request.silenceMs ?? defaultSilenceMs
  const parts = wire(request, connection)[Symbol.asyncIterator]()
  let patience = silence
  for (;;) {
    const asked = performance.now()
    const next = await waitFor(parts.next(), patience, request.signal)
    if (next.done === true) throw new KnownFailure(...unfinished(answer.begun()))
    const events = answer.take(next.value)
    // Blank lines and empty deltas are no sign of life: a server can send them for ever.
    patience = answer.moved() ? silence : Math.max(1, patience - (performance.now() - asked))
    yield* events
    if (next.value.type === 'finish') return
  }
}

const unfinished = (begun: boolean): ConstructorParameters<typeof KnownFailure> => [
  'cut_off',
  begun ? 'The answer stopped before its end.' : 'The answer ended before it began.',
]
