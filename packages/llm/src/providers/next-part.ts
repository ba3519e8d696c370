import { CallerAborted, Silence } from './faults.ts'

/** Waits for `work` no longer than `ms`, and not at all once `signal` has aborted. */
export function waitFor<T>(work: Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  // Whoever stops waiting does not hear how it ends.
  work.catch(() => {})
  return new Promise<T>((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      act()
    }
    const onAbort = () => settle(() => reject(new CallerAborted()))
    const timer = setTimeout(
      () => settle(() => reject(new Silence(`said nothing for ${Math.round(ms / 1000)} s`))),
      ms,
    )
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    )
  })
}
