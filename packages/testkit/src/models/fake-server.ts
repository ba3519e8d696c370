import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export type RecordedRequest = {
  method: string
  /** Without the query. */
  path: string
  headers: IncomingMessage['headers']
  text: string
  /** The text as JSON; undefined where it is none. */
  body: unknown
  /** The client closed the connection before the answer was whole. */
  aborted: boolean
}

export type FakeServer = {
  url: string
  port: number
  /** In the order in which their bodies were complete. */
  requests: RecordedRequest[]
  openConnections(): number
  /** New connections are refused from now on; those that are open stay. */
  stopListening(): void
  close(): Promise<void>
}

export type Answer = (call: {
  request: RecordedRequest
  response: ServerResponse
  socket: Socket
  gone: AbortSignal
  server: FakeServer
}) => Promise<void> | void

/** An HTTP server on loopback that remembers what it was asked. Hand `close` to `onTestFinished`. */
export async function startFakeServer(answer: Answer): Promise<FakeServer> {
  const sockets = new Set<Socket>()
  const requests: RecordedRequest[] = []
  const http = createServer((incoming, response) => {
    // A client that goes away is ordinary here; what the test sees is `aborted`.
    response.on('error', () => {})
    void receive(incoming).then(
      async (request) => {
        requests.push(request)
        const gone = new AbortController()
        response.on('close', () => {
          request.aborted = !response.writableFinished
          gone.abort()
        })
        const { socket } = incoming
        await answer({ request, response, socket, gone: gone.signal, server })
      },
      () => incoming.socket.destroy(),
    )
  })
  // Keep-alive connections would outlive a test's assertion about who is still connected.
  http.keepAliveTimeout = 1000
  http.requestTimeout = 0
  http.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  const server: FakeServer = {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    openConnections: () => sockets.size,
    stopListening: () => void http.close(),
    async close() {
      const closed = http.listening ? new Promise((resolve) => http.close(resolve)) : undefined
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
  return server
}

async function receive(incoming: IncomingMessage): Promise<RecordedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  return {
    method: incoming.method ?? 'GET',
    path: (incoming.url ?? '/').replace(/\?.*$/, ''),
    headers: incoming.headers,
    text,
    body: parsed(text),
    aborted: false,
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
