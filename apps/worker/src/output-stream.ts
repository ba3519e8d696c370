export type Chunk = { stream: 'stdout' | 'stderr' | 'system'; text: string }

/** Output is gathered for this long before it is sent (EXEC-03). */
const windowMs = 100

/** What one run may store in the hub; enough to read, bounded because a task can print a gigabyte. */
export const keptBytes = 1024 * 1024

// JSON writes a control character as six bytes, so a batch of nothing else is 3 MB: below the 4 MiB above which the hub
// ends the connection, and with it every run of this worker, each time the batch is sent again.
const partChars = 32_000
const partsPerBatch = 16

/**
 * Gathers output and sends it in batches, one at a time and in order. Beyond the bound it counts instead, and says at
 * the end how much it left out. `send` may be slow: what comes meanwhile is bounded too.
 */
export function createOutputStream(options: {
  send: (batch: number, chunks: Chunk[]) => Promise<void>
  onError: (error: unknown) => void
}) {
  let pending: Chunk[] = []
  let kept = 0
  let dropped = 0
  let batch = 0
  let timer: NodeJS.Timeout | undefined
  let sending = Promise.resolve()

  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    while (pending.length > 0) {
      const chunks = pending.slice(0, partsPerBatch)
      pending = pending.slice(partsPerBatch)
      const number = batch++
      sending = sending.then(() => options.send(number, chunks)).catch(options.onError)
    }
  }
  const push = (chunk: Chunk) => {
    const last = pending.at(-1)
    if (last?.stream === chunk.stream && last.text.length + chunk.text.length <= partChars)
      last.text += chunk.text
    else for (const text of parts(chunk.text)) pending.push({ stream: chunk.stream, text })
    timer ??= setTimeout(flush, windowMs)
  }

  return {
    /** What a command printed. */
    write(chunk: Chunk): void {
      const room = keptBytes - kept
      kept += Math.min(chunk.text.length, room)
      dropped += Math.max(0, chunk.text.length - room)
      if (room > 0) push({ stream: chunk.stream, text: chunk.text.slice(0, room) })
    },
    /** What the platform says about the run; always kept. */
    say: (text: string) => push({ stream: 'system', text: `${text}\n` }),
    /** Adds to what was left out before it came here. */
    leftOut: (bytes: number) => void (dropped += bytes),
    async end(): Promise<void> {
      if (dropped > 0) push({ stream: 'system', text: `… ${dropped} more bytes of output were left out\n` })
      dropped = 0
      flush()
      await sending
    },
  }
}
export type OutputStream = ReturnType<typeof createOutputStream>

function parts(text: string): string[] {
  const all: string[] = []
  for (let at = 0; at < text.length; at += partChars) all.push(text.slice(at, at + partChars))
  return all
}
