import { liveMessage, type LiveMessage } from '@muster/contract/live'

export type LiveOptions = {
  origin: string
  /** Absent in a browser, where the session cookie speaks. */
  token?: string
  /** Follow the output of one task from the chunk after `after`. */
  output?: { taskId: string; after?: number }
  /** Cursor of the last event seen. */
  after?: string
  onMessage: (message: LiveMessage) => void
  onState?: (state: 'connecting' | 'open' | 'waiting') => void
}

/**
 * Follows the hub's events and, if asked, one task's output; reconnects with back-off 0.5 s doubling to 15 s and
 * resumes behind the last message seen, so that nothing is missed or shown twice. Returns the function that ends it.
 */
export function followLive(options: LiveOptions): () => void {
  let after = options.after
  let outputAfter = options.output?.after ?? 0
  let ended = false
  let delay = 500
  let socket: WebSocket | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const connect = () => {
    options.onState?.('connecting')
    socket = openSocket(`${options.origin.replace(/^http/, 'ws')}/api/v1/live`, options.token)
    socket.addEventListener('open', () => {
      delay = 500
      options.onState?.('open')
      socket?.send(
        JSON.stringify({
          type: 'subscribe',
          ...(after === undefined ? {} : { after }),
          ...(options.output === undefined
            ? {}
            : { output: { taskId: options.output.taskId, after: outputAfter } }),
        }),
      )
    })
    socket.addEventListener('message', (event: MessageEvent) => {
      const parsed = liveMessage.safeParse(JSON.parse(String(event.data)))
      if (!parsed.success || ended) return
      const message = parsed.data
      if (message.type === 'event') after = message.event.cursor
      if (message.type === 'caught_up') after = message.cursor
      if (message.type === 'output') {
        if (message.chunk.seq <= outputAfter) return
        outputAfter = message.chunk.seq
      }
      options.onMessage(message)
    })
    socket.addEventListener('close', () => {
      if (ended) return
      options.onState?.('waiting')
      timer = setTimeout(connect, delay)
      delay = Math.min(delay * 2, 15_000)
    })
    // A refused connection is followed by "close", which is where the reconnect is decided.
    socket.addEventListener('error', () => {})
  }
  connect()
  return () => {
    ended = true
    clearTimeout(timer)
    socket?.close()
  }
}

/** Node's WebSocket takes headers as a second argument; a browser's does not and needs none. */
function openSocket(url: string, token: string | undefined): WebSocket {
  if (token === undefined) return new WebSocket(url)
  const Constructor = WebSocket as unknown as new (
    url: string,
    init: { headers: Record<string, string> },
  ) => WebSocket
  return new Constructor(url, { headers: { authorization: `Bearer ${token}` } })
}
