/**
 * Gathers what became stale and refreshes it at most four times a second, and never while the last refresh is
 * still on its way: a burst of events costs the hub a steady trickle of reads, and the last state always arrives.
 */
export function createRefresher(refresh: (stale: ReadonlySet<string>) => Promise<unknown>, everyMs = 250) {
  let stale = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let busy = false

  const flush = async () => {
    timer = undefined
    const now = stale
    stale = new Set()
    busy = true
    // Whoever shows the data shows the failure; what counts here is that the next refresh is still made.
    await refresh(now).catch(() => {})
    busy = false
    if (stale.size > 0) timer = setTimeout(() => void flush(), everyMs)
  }

  return {
    mark(...keys: string[]) {
      for (const key of keys) stale.add(key)
      if (timer === undefined && !busy) timer = setTimeout(() => void flush(), everyMs)
    },
    stop() {
      clearTimeout(timer)
      stale.clear()
    },
  }
}
