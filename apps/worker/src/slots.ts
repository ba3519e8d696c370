/** At most `count` runs at once; the others wait in the order they came. */
export function createSlots(count: number) {
  let free = count
  const waiting: (() => void)[] = []
  return {
    /** Resolves with the function that gives the slot back; rejects when the signal comes first. */
    take(signal: AbortSignal): Promise<() => void> {
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          const at = waiting.indexOf(grant)
          if (at >= 0) waiting.splice(at, 1)
          reject(new Error('stopped while waiting for a slot', { cause: signal.reason }))
        }
        const release = () => {
          free++
          waiting.shift()?.()
        }
        const grant = () => {
          free--
          signal.removeEventListener('abort', onAbort)
          let released = false
          resolve(() => {
            if (!released) release()
            released = true
          })
        }
        if (signal.aborted) return onAbort()
        signal.addEventListener('abort', onAbort, { once: true })
        if (free > 0) grant()
        else waiting.push(grant)
      })
    },
  }
}
export type Slots = ReturnType<typeof createSlots>
