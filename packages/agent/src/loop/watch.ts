import { setTimeout as wait } from 'node:timers/promises'
import type { Model } from '@muster/llm/model'
import type { LoopInput } from './loop.ts'
import type { LoopState } from './state.ts'

/** What a tool has to end in after its signal; the wall kills in a second. For one that does not keep to its contract. */
const graceMs = 10_000
const longestTimerMs = 2 ** 31 - 1

/**
 * The time of a loop: how much has gone by, with that of earlier runs, and the signal that ends what is under way when it
 * is up or when the caller says so.
 */
export function openWatch(
  { signal, limits, now = () => performance.now(), sleep }: LoopInput,
  beforeMs: number,
) {
  const began = now()
  const over = new AbortController()
  const leftMs = Math.min(Math.max(limits.wallMs - beforeMs, 0), longestTimerMs)
  const timer = setTimeout(() => over.abort(), leftMs)
  const either = AbortSignal.any([signal, over.signal])
  const gone = () => Math.max(0, Math.round(beforeMs + now() - began))

  return {
    signal: either,
    /** Never less than the limit once the signal says that it is over, however the two clocks differ. */
    elapsedMs: () => (over.signal.aborted ? Math.max(gone(), limits.wallMs) : gone()),

    /** Of the step that begins now; called when it is done. */
    facts(model: Model, { steps }: LoopState) {
      const startedAtMs = gone()
      const started = now()
      return () => ({ model, seq: steps + 1, startedAtMs, ms: Math.round(now() - started) })
    },

    async sleep(ms: number): Promise<void> {
      if (sleep !== undefined) return sleep(ms, either)
      await wait(ms, undefined, { signal: either }).catch(() => {})
    },

    /** Undefined when it was stopped before it had an answer. */
    async orAborted<T>(work: Promise<T>): Promise<T | undefined> {
      const { promise: leftAlone, resolve } = Promise.withResolvers<undefined>()
      let grace: NodeJS.Timeout | undefined
      const start = () => (grace = setTimeout(() => resolve(undefined), graceMs))
      either.addEventListener('abort', start, { once: true })
      try {
        return await Promise.race([work, leftAlone])
      } catch (error) {
        if (either.aborted) return undefined
        throw error
      } finally {
        clearTimeout(grace)
        either.removeEventListener('abort', start)
      }
    },

    close: () => clearTimeout(timer),
  }
}
