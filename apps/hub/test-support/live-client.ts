import { liveMessage, type LiveMessage } from '@muster/contract/live'
import type { Event } from '@muster/contract/events'
import { eventually } from '@muster/testkit/eventually'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

export type LiveOptions = {
  token: string
  /** Instead of a token: the cookie of a session and what goes with it. */
  headers: Record<string, string>
  after: string
  output: { taskId: string; after?: number }
}

/** A page as the live socket sees one. */
export async function connectLive(url: string, options: Partial<LiveOptions>) {
  const { token, headers = { authorization: `Bearer ${token}` }, ...subscription } = options
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/live`, {
    headers,
  })
  onTestFinished(() => socket.terminate())
  const received: LiveMessage[] = []
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  )
  socket.on('message', (data) => received.push(liveMessage.parse(JSON.parse(String(data)))))
  await new Promise((resolve, reject) => {
    socket.on('open', resolve)
    socket.on('error', reject)
  })
  socket.send(JSON.stringify({ type: 'subscribe', ...subscription }))
  // Only a subscription from now on is told where it starts.
  if (options.after === undefined) {
    await eventually(() => received.find((message) => message.type === 'caught_up'))
  }
  return {
    socket,
    closed,
    received,
    send: (message: unknown) => socket.send(JSON.stringify(message)),
    events: (): Event[] => received.flatMap((message) => (message.type === 'event' ? [message.event] : [])),
    output: () => received.flatMap((message) => (message.type === 'output' ? [message.chunk] : [])),
    async close() {
      socket.close()
      await closed
    },
  }
}
