/** What a process holds, in megabytes. */
export type Memory = {
  /** In use once garbage is collected: what a leak would raise. */
  live: number
  /** Of the machine's memory; also what V8 and malloc keep for later, so that it rises until they have enough. */
  resident: number
}

/** Needs --expose-gc. Twice, because what the first run finds finalizers for is freed by the second. */
export function memoryNow(): Memory {
  if (globalThis.gc === undefined) throw new Error('memory is measured under --expose-gc')
  const { rss } = process.memoryUsage()
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return { live: (heapUsed + external) / 1024 ** 2, resident: rss / 1024 ** 2 }
}
