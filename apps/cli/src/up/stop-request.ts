import type { Failure } from '../failure.ts'

export type StopRequest = {
  readonly signal: AbortSignal
  /** Set when it stops because something broke for good and not because somebody asked. */
  readonly failure: () => Failure | undefined
  fail(why: Failure): void
  requested(): Promise<void>
}

// npm and the terminal may both deliver one Ctrl-C; what comes within this time is the same one.
const sameKeyMs = 1_000

/**
 * When to stop: a signal, the death of the parent that holds our lifeline, or a part that cannot be kept running.
 * A second Ctrl-C means that the person does not want to wait: `force` is called then.
 */
export function createStopRequest(options: { lifeline: boolean; force: () => void }): StopRequest {
  const stop = new AbortController()
  let first = 0
  let failure: Failure | undefined
  const onSignal = () => {
    if (first === 0) first = Date.now()
    else if (Date.now() - first > sameKeyMs) options.force()
    stop.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
  if (options.lifeline && process.connected) process.once('disconnect', () => stop.abort())
  return {
    signal: stop.signal,
    failure: () => failure,
    fail(why) {
      failure ??= why
      stop.abort()
    },
    async requested() {
      if (stop.signal.aborted) return
      await new Promise<void>((resolve) =>
        stop.signal.addEventListener('abort', () => resolve(), { once: true }),
      )
    },
  }
}
