import { liveSubscribe, type LiveMessage } from '@muster/contract/live'
import type { WebSocket } from 'ws'
import type { Actor } from '../kernel/actor.ts'
import type { Db } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { createTicker } from '../kernel/ticker.ts'
import * as store from './store.ts'

export type ProgressNews = { workspaceId: string; taskId: string; text: string } & (
  | { type: 'progress'; percent: number | null }
  | { type: 'delta'; channel: 'text' | 'thinking' }
)
export type Progress = ReturnType<typeof createProgress>

/** News that is worth seeing but not keeping, to whoever listens at this hub now. */
export function createProgress() {
  const listeners = new Set<(news: ProgressNews) => void>()
  return {
    tell: (news: ProgressNews) => listeners.forEach((listener) => listener(news)),
    on(listener: (news: ProgressNews) => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

const batch = 500
// A reader that lets this much pile up is dropped; it resumes from its cursor when it comes back.
const maxBufferedBytes = 1024 * 1024

type Deps = { db: Db; events: Events; hints: Hints; progress: Progress }

/**
 * Serves one live socket: after `subscribe`, every event of the workspace behind the cursor, then new ones as they
 * commit, and the output of one task. Reads what the database holds each time it is woken or a second has passed;
 * sends nothing twice and skips nothing.
 */
export function serveLive(
  deps: Deps,
  actor: Actor,
  socket: WebSocket,
  onError: (error: unknown) => void,
): void {
  let cursor: string | undefined
  let output: { taskId: string; after: number } | undefined
  let subscribed = false

  const send = (message: LiveMessage) => {
    if (socket.readyState !== socket.OPEN) return
    if (socket.bufferedAmount > maxBufferedBytes) return socket.close(4008, 'too slow')
    socket.send(JSON.stringify(message))
  }
  const ticker = createTicker({
    everyMs: 1_000,
    onError,
    work: async () => {
      if (!subscribed || socket.readyState !== socket.OPEN) return
      for (let more = true; more;) more = await step()
    },
  })
  const step = async (): Promise<boolean> => {
    const seen = await deps.db.inWorkspace(actor.workspaceId, async (tx) => {
      const head = cursor === undefined ? await deps.events.head(tx) : undefined
      const events = cursor === undefined ? [] : await deps.events.read(tx, { after: cursor, limit: batch })
      const chunks =
        output === undefined ? [] : await store.readOutput(tx, output.taskId, output.after, batch)
      return { head, events, chunks, of: output }
    })
    if (seen.head !== undefined) {
      cursor = seen.head
      send({ type: 'caught_up', cursor })
      return true
    }
    for (const event of seen.events) {
      cursor = event.cursor
      send({ type: 'event', event })
    }
    for (const chunk of seen.chunks) {
      // The subscription may have changed while this was read.
      if (output === undefined || output !== seen.of) break
      output.after = chunk.seq
      send({ type: 'output', taskId: output.taskId, chunk })
    }
    return seen.events.length === batch || seen.chunks.length === batch
  }

  const leave = [
    deps.hints.on('events', ticker.poke),
    deps.hints.on('output', ticker.poke),
    deps.progress.on((news) => {
      if (news.workspaceId !== actor.workspaceId || !subscribed) return
      const { taskId, text } = news
      if (news.type === 'progress') send({ type: 'progress', taskId, text, percent: news.percent })
      // A model talks to whoever looks at its task, and not to every open page.
      else if (output?.taskId === taskId) send({ type: 'delta', taskId, channel: news.channel, text })
    }),
  ]
  socket.on('message', (data) => {
    const message = parse(String(data))
    if (message === undefined) return socket.close(4002, 'protocol_violation')
    cursor = message.after ?? cursor
    output = message.output
    subscribed = true
    ticker.poke()
  })
  socket.on('error', onError)
  socket.on('close', () => {
    for (const stop of leave) stop()
    void ticker.stop()
  })
}

function parse(data: string) {
  try {
    return liveSubscribe.safeParse(JSON.parse(data)).data
  } catch {
    return undefined
  }
}
