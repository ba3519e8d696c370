import type { OutputChunk } from '@muster/contract/runs'
import { ansiPieces, plainStyle, type AnsiStyle } from '../../ui/ansi.ts'

/** `run` opens the output of another attempt; its text is the id of the run. */
export type OutputLine = {
  stream: OutputChunk['stream'] | 'run'
  text: string
  /** What earlier lines of the same stream left switched on. */
  style: AnsiStyle
}

/** More lines than this are not kept; the oldest go first and are counted. */
export const maxLines = 50_000

export type OutputSnapshot = { lines: readonly OutputLine[]; dropped: number; version: number }

export type OutputLines = {
  add(chunk: OutputChunk): void
  snapshot(): OutputSnapshot
  subscribe(listener: () => void): () => void
}

/**
 * The output of one task as lines, outside of React: thousands of chunks may come in a second and the page is told
 * at most once per frame. A line ends where its text does or where another stream or run breaks in.
 */
export function createOutputLines(schedule: (flush: () => void) => void): OutputLines {
  let lines: OutputLine[] = []
  let dropped = 0
  let open = false
  let runId: string | undefined
  let current: OutputSnapshot = { lines, dropped, version: 0 }
  let scheduled = false
  const styles = new Map<string, AnsiStyle>()
  const listeners = new Set<() => void>()

  const flush = () => {
    scheduled = false
    if (lines.length > maxLines) {
      dropped += lines.length - maxLines
      lines = lines.slice(-maxLines)
    }
    current = { lines, dropped, version: current.version + 1 }
    for (const listener of listeners) listener()
  }
  const append = (stream: OutputChunk['stream'], text: string) => {
    const last = lines.at(-1)
    const style = styles.get(stream) ?? plainStyle
    if (open && last?.stream === stream) lines[lines.length - 1] = { ...last, text: last.text + text }
    else lines.push({ stream, text, style })
  }
  const close = (stream: OutputChunk['stream']) => {
    const last = lines.at(-1)
    if (last?.text.includes('\u001b') === true) styles.set(stream, ansiPieces(last.text, last.style).style)
  }

  return {
    add({ stream, text, runId: from }) {
      if (from !== runId) {
        if (runId !== undefined) lines.push({ stream: 'run', text: from, style: plainStyle })
        runId = from
        open = false
        styles.clear()
      }
      const parts = text.split('\n')
      for (const [index, part] of parts.entries()) {
        const ended = index < parts.length - 1
        if (part !== '' || ended) append(stream, part)
        if (ended) close(stream)
        open = !ended && (part !== '' || (index === 0 && open))
      }
      if (!scheduled) {
        scheduled = true
        schedule(flush)
      }
    },
    snapshot: () => current,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** What a terminal would show of a line that went back to its start to draw over itself. */
export function overdrawn(text: string): string {
  const trimmed = text.endsWith('\r') ? text.slice(0, -1) : text
  return trimmed.slice(trimmed.lastIndexOf('\r') + 1)
}
