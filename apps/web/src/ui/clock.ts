import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()
const clock: { now: number; timer: ReturnType<typeof setInterval> | undefined } = {
  now: Date.now(),
  timer: undefined,
}

/** The time, to the second; one timer for however many ages are on the page, and none when there are none. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => clock.now)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  clock.timer ??= setInterval(tick, 1_000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(clock.timer)
    clock.timer = undefined
  }
}

function tick(): void {
  clock.now = Date.now()
  for (const listener of listeners) listener()
}
