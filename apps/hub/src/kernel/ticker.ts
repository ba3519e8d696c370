/**
 * Runs `work` whenever poked and at least every `everyMs`, never twice at once; a poke during a run causes one
 * more run. A failing run is reported and the next one happens as usual: the loops are level-triggered, they act
 * on what the database says and not on what was poked.
 */
export type Ticker = { poke(): void; stop(): Promise<void> }

export function createTicker(options: {
  everyMs: number
  work: () => Promise<void>
  onError: (error: unknown) => void
}): Ticker {
  let stopped = false
  let again = false
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const start = () => {
    clearTimeout(timer)
    if (stopped) return
    if (running !== undefined) {
      again = true
      return
    }
    again = false
    running = options
      .work()
      .catch(options.onError)
      .finally(() => {
        running = undefined
        if (again) start()
        else if (!stopped) timer = setTimeout(start, options.everyMs)
      })
  }
  timer = setTimeout(start, 0)
  return {
    poke: start,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
