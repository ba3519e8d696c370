export type FetchProgress = { phase: string; percent: number }

/** Turns git's `Receiving objects:  42% (…)` lines, which it overwrites with carriage returns, into values. */
export function readProgress(onProgress: (progress: FetchProgress) => void): (text: string) => void {
  let rest = ''
  return (text) => {
    const lines = (rest + text).split(/[\r\n]/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const found = /^(?:remote: )?([A-Z][a-z ]+): +(\d{1,3})%/.exec(line)
      if (found?.[1] !== undefined) onProgress({ phase: found[1].toLowerCase(), percent: Number(found[2]) })
    }
  }
}
