import { hubMessage, type HubMessage, type WorkerMessage } from '@muster/contract/wire'
import { WebSocket } from 'ws'
import type { Closing } from './backoff.ts'
import type { Log } from './log.ts'
import { WireError } from './wire-error.ts'

type WithoutId<M> = M extends { id: number } ? Omit<M, 'id'> : never
/** A message of the worker that the hub answers; its `id` is given by the connection. */
export type Request = WithoutId<WorkerMessage>
export type Answer = Extract<HubMessage, { type: 'reply' | 'welcome' }>
const pushed = ['assign', 'cancel', 'stop', 'restart', 'message'] as const
export type Push = Extract<HubMessage, { type: (typeof pushed)[number] }>

export type Connection = {
  /** Rejects with WireError: the hub's refusal, or `disconnected` when the connection breaks before the answer. */
  request(message: Request): Promise<Answer>
  tell(message: WorkerMessage): void
  close(): void
  terminate(): void
}

const pingEveryMs = 30_000
const pongWithinMs = 10_000
const answerWithinMs = 30_000

/**
 * One connection to the hub, from its opening to its end. Pings every 30 s; without a pong within 10 s, or an answer
 * within 30 s, it is given up, because a half-open TCP connection would otherwise be believed in for minutes.
 */
export function openConnection(options: {
  origin: string
  token: string
  log: Log
  onOpen: (connection: Connection) => void
  onPush: (message: Push) => void
  onClose: (why: Closing & { reason: string }) => void
}): Connection {
  const { log } = options
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: WireError) => void }>()
  let lastId = 0
  const socket = new WebSocket(`${options.origin.replace(/^http/, 'ws')}/api/v1/workers/socket`, {
    headers: { authorization: `Bearer ${options.token}` },
    handshakeTimeout: 10_000,
    maxPayload: 8 * 1024 * 1024,
  })
  const { seen, giveUp } = watchEnd(socket, log)

  const connection: Connection = {
    request: (message) =>
      new Promise((resolve, reject) => {
        if (socket.readyState !== socket.OPEN) {
          return reject(new WireError('disconnected', 'The hub is not connected.'))
        }
        const id = ++lastId
        const overdue = setTimeout(giveUp, answerWithinMs)
        const settled = () => {
          clearTimeout(overdue)
          waiting.delete(id)
        }
        waiting.set(id, {
          resolve: (answer) => (settled(), resolve(answer)),
          reject: (error) => (settled(), reject(error)),
        })
        socket.send(JSON.stringify({ ...message, id }))
      }),
    tell(message) {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
    },
    close: () => socket.close(1000, 'the worker stops'),
    terminate: giveUp,
  }

  const take = (data: string) => {
    const parsed = hubMessage.safeParse(JSON.parse(data))
    if (!parsed.success)
      return log.warn({ data: data.slice(0, 200) }, 'a message of the hub is not understood')
    const message = parsed.data
    if (isPush(message)) return options.onPush(message)
    // What other agents do is nothing that a worker of ours acts on.
    if (message.type !== 'welcome' && message.type !== 'reply' && message.type !== 'error') return
    const asked = message.to === undefined ? undefined : waiting.get(message.to)
    if (message.type === 'error') {
      // Who asked says what it means; only what nobody asked for would be lost.
      if (asked === undefined) log.warn({ said: message }, 'the hub did not take a message')
      return asked?.reject(new WireError(message.code, message.message))
    }
    if (message.type === 'welcome' || message.ok) return asked?.resolve(message)
    asked?.reject(
      new WireError(message.error?.code ?? 'refused', message.error?.message ?? 'The hub refused this.'),
    )
  }

  const stopHeartbeat = heartbeat(socket, giveUp)
  socket.on('open', () => options.onOpen(connection))
  socket.on('message', (data) => take(String(data)))
  socket.on('close', (code, reason) => {
    stopHeartbeat()
    for (const asked of waiting.values()) asked.reject(new WireError('disconnected', 'The connection broke.'))
    options.onClose({ ...seen, code, reason: String(reason) })
  })
  return connection
}

/** What there is to know about how a socket comes to its end, besides its closing frame. */
function watchEnd(socket: WebSocket, log: Log) {
  const seen: Omit<Closing, 'code'> = { wasOpen: false, status: undefined, error: undefined }
  socket.on('open', () => (seen.wasOpen = true))
  // Without this listener ws hides the HTTP status of a refused upgrade.
  socket.on('unexpected-response', (_, response) => {
    seen.status = response.statusCode
    socket.terminate()
  })
  socket.on('error', (error: Error & { code?: string }) => {
    seen.error ??= error.code
    log.debug({ err: error }, 'socket error')
  })
  const giveUp = () => {
    seen.error ??= 'ETIMEDOUT'
    socket.terminate()
  }
  return { seen, giveUp }
}

function isPush(message: HubMessage): message is Push {
  return pushed.some((type) => type === message.type)
}

function heartbeat(socket: WebSocket, giveUp: () => void): () => void {
  let overdue: NodeJS.Timeout | undefined
  const timer = setInterval(() => {
    if (socket.readyState !== socket.OPEN) return
    socket.ping()
    clearTimeout(overdue)
    overdue = setTimeout(giveUp, pongWithinMs)
  }, pingEveryMs)
  socket.on('pong', () => clearTimeout(overdue))
  return () => {
    clearInterval(timer)
    clearTimeout(overdue)
  }
}
