import { hubMessage, type HubMessage, type WorkerMessage } from '@muster/contract/wire'
import { WebSocket } from 'ws'
import { delayAfter } from './backoff.ts'
import type { Log } from './log.ts'
import { WireError } from './wire-error.ts'

type WithoutId<M> = M extends { id: number } ? Omit<M, 'id'> : never
/** A message of the worker that the hub answers; its `id` is given by the link. */
export type Request = WithoutId<WorkerMessage>
type Answer = Extract<HubMessage, { type: 'reply' | 'welcome' }>
type Hello = Extract<Request, { type: 'hello' }>
type Welcome = Extract<HubMessage, { type: 'welcome' }>

export type HubLink = {
  /** Sends once on the present connection; rejects with WireError('disconnected') when it breaks before the answer. */
  request(message: Request): Promise<Answer>
  /** Sends until the hub has answered, over as many connections as that takes. Rejects when refused or aborted. */
  deliver(message: Request, signal: AbortSignal): Promise<void>
  /** Sends if connected; for news that nobody misses. */
  tell(message: WorkerMessage): void
  close(): void
}

const pingEveryMs = 30_000
const pongWithinMs = 10_000
const answerWithinMs = 30_000

/** Closing reasons after which trying again cannot help: a person must give another token or update. */
const final = ['unauthenticated', 'forbidden', 'not_found']

/**
 * The worker's permanent socket. It reconnects for ever with back-off 1 s doubling to 60 s, reset by a welcome;
 * pings every 30 s and gives the connection up when no pong comes within 10 s. Each connection starts with the
 * hello that `hello()` makes then, so that the hub hears what is held now and not what was held once.
 */
export function createHubLink(deps: {
  origin: string
  token: string
  log: Log
  hello: () => Hello
  onWelcome: (welcome: Welcome) => void
  onMessage: (message: Extract<HubMessage, { type: 'assign' | 'cancel' }>) => void
  onFinal: (reason: string) => void
}): HubLink {
  const { log } = deps
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: WireError) => void }>()
  const welcomed = new Set<() => void>()
  let socket: WebSocket | undefined
  let ready = false
  let closed = false
  let failures = 0
  let lastId = 0
  let retry: NodeJS.Timeout | undefined

  const request = (message: Request): Promise<Answer> =>
    new Promise((resolve, reject) => {
      if (socket === undefined || socket.readyState !== socket.OPEN) {
        return reject(new WireError('disconnected', 'The hub is not connected.'))
      }
      const id = ++lastId
      const timer = setTimeout(() => socket?.terminate(), answerWithinMs)
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer)
          waiting.delete(id)
          then(value)
        }
      waiting.set(id, { resolve: settle(resolve), reject: settle(reject) })
      socket.send(JSON.stringify({ ...message, id }))
    })

  const onMessage = (data: string) => {
    const parsed = hubMessage.safeParse(JSON.parse(data))
    if (!parsed.success)
      return log.warn({ data: data.slice(0, 200) }, 'a message of the hub is not understood')
    const message = parsed.data
    if (message.type === 'assign' || message.type === 'cancel') return deps.onMessage(message)
    const one = waiting.get(message.to)
    if (message.type === 'reply' && !message.ok) {
      return one?.reject(new WireError(message.error?.code ?? 'refused', message.error?.message ?? 'refused'))
    }
    one?.resolve(message)
  }

  const onOpen = async () => {
    const answer = await request(deps.hello())
    if (answer.type !== 'welcome') return socket?.close()
    failures = 0
    ready = true
    log.info({ hub: deps.origin, as: answer.workerName }, 'connected to the hub')
    deps.onWelcome(answer)
    for (const go of welcomed) go()
  }

  const connect = () => {
    const current = new WebSocket(`${deps.origin.replace(/^http/, 'ws')}/api/v1/workers/socket`, {
      headers: { authorization: `Bearer ${deps.token}` },
      handshakeTimeout: 10_000,
      maxPayload: 8 * 1024 * 1024,
    })
    socket = current
    const stopHeartbeat = heartbeat(current)
    current.on('open', () => void onOpen().catch(() => current.terminate()))
    current.on('message', (data) => onMessage(String(data)))
    // A refused upgrade is an HTTP answer; without this listener ws hides its status.
    current.on('unexpected-response', (_, response) => {
      const denied = response.statusCode === 401 || response.statusCode === 403
      current.terminate()
      if (denied) deps.onFinal(response.statusCode === 401 ? 'unauthenticated' : 'forbidden')
    })
    current.on('error', (error) => log.debug({ err: error }, 'socket error'))
    current.on('close', (code, reason) => {
      stopHeartbeat()
      ready = false
      const why = String(reason)
      for (const one of waiting.values()) one.reject(new WireError('disconnected', 'The connection broke.'))
      if (closed) return
      if (final.includes(why)) return deps.onFinal(why)
      const delay = delayAfter(++failures)
      log.warn({ code, reason: why, delay }, 'the hub is away; trying again')
      retry = setTimeout(connect, delay)
    })
  }
  connect()

  const nextWelcome = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const done = () => {
        welcomed.delete(go)
        signal.removeEventListener('abort', stop)
      }
      const go = () => (done(), resolve())
      const stop = () => (done(), reject(new WireError('aborted', 'The run was stopped.')))
      welcomed.add(go)
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) stop()
    })

  return {
    request,
    async deliver(message, signal) {
      for (;;) {
        if (!ready) await nextWelcome(signal)
        try {
          await request(message)
          return
        } catch (error) {
          if (!(error instanceof WireError) || error.code !== 'disconnected') throw error
          if (signal.aborted) throw new WireError('aborted', 'The run was stopped.')
          // The close event comes right after; until then "ready" is not true any more for us.
          ready = false
        }
      }
    },
    tell(message) {
      if (ready && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
    },
    close() {
      closed = true
      clearTimeout(retry)
      socket?.close(1000, 'the worker stops')
    },
  }
}

function heartbeat(socket: WebSocket): () => void {
  let overdue: NodeJS.Timeout | undefined
  const timer = setInterval(() => {
    if (socket.readyState !== socket.OPEN) return
    socket.ping()
    overdue = setTimeout(() => socket.terminate(), pongWithinMs)
  }, pingEveryMs)
  socket.on('pong', () => clearTimeout(overdue))
  return () => {
    clearInterval(timer)
    clearTimeout(overdue)
  }
}
