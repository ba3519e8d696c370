import { setTimeout as sleep } from 'node:timers/promises'
import type { HubMessage, WorkerMessage } from '@muster/contract/wire'
import { afterEnd, endOf, noEnds } from './backoff.ts'
import { openConnection, type Answer, type Connection, type Push, type Request } from './connection.ts'
import type { Log } from './log.ts'
import { WireError } from './wire-error.ts'

type Hello = Extract<Request, { type: 'hello' }>
type Welcome = Extract<HubMessage, { type: 'welcome' }>

export type HubLink = {
  /** Sends once on the present connection; rejects with WireError('disconnected') when there is none. */
  request(message: Request): Promise<Answer>
  /**
   * Sends until the hub has done it, over as many connections as that takes, and again while its database is away.
   * Rejects when refused or aborted.
   */
  deliver(message: Request, signal: AbortSignal): Promise<Answer>
  /** Sends if connected; for news that nobody misses. */
  tell(message: WorkerMessage): void
  close(): void
}

/** Refusals after which trying again cannot help: a person must give another token. */
const finalReasons = ['unauthenticated', 'forbidden', 'not_found']

/** Refusals that say: not now. The run goes on until its lease ends by this machine's clock. */
const passing = ['database_unavailable', 'database_full']
const againAfterMs = 500

/**
 * The worker's permanent link: reconnects for ever with the back-off of backoff.ts, reset by a welcome. Each
 * connection starts with the hello that `hello()` makes then, so that the hub hears what is held now and not what was
 * held once; nothing else is sent before the hub has answered it.
 */
export function createHubLink(deps: {
  origin: string
  token: string
  log: Log
  hello: () => Hello
  onWelcome: (welcome: Welcome) => void
  onMessage: (message: Push) => void
  onFinal: (reason: string) => void
}): HubLink {
  const { origin, token, log } = deps
  const waitingForWelcome = new Set<() => void>()
  let welcomed: Connection | undefined
  let newest: Connection | undefined
  let closed = false
  let ends = noEnds
  /** Why the hub did not let this worker in the last time; said once and not at each of its attempts. */
  let refusedFor: string | undefined
  let retry: NodeJS.Timeout | undefined

  const greet = async (connection: Connection) => {
    const answer = await connection.request(deps.hello())
    if (answer.type !== 'welcome') return connection.terminate()
    ends = noEnds
    refusedFor = undefined
    welcomed = connection
    log.info({ hub: origin, as: answer.workerName }, 'connected to the hub')
    deps.onWelcome(answer)
    for (const go of waitingForWelcome) go()
  }

  const connect = () => {
    let refusal: WireError | undefined
    newest = openConnection({
      origin,
      token,
      log,
      onOpen: (connection) =>
        void greet(connection).catch((error: unknown) => {
          if (!(error instanceof WireError) || error.code === 'disconnected') return connection.terminate()
          refusal = error
          connection.close()
        }),
      onPush: deps.onMessage,
      onClose(closing) {
        welcomed = undefined
        if (closed) return
        const why = refusalOf(closing.status) ?? refusal?.code ?? closing.reason
        if (finalReasons.includes(why)) return deps.onFinal(why)
        const end = endOf(closing)
        const { delayMs, row } = afterEnd(ends, end, Math.random)
        // A hub that is away for a day is not said to be once a second.
        const level = end === 'nobody' && ends.nobody > 0 ? 'debug' : 'warn'
        if (refusal === undefined) log[level]({ ...closing, delayMs }, 'the hub is away; trying again')
        else if (refusedFor !== why) log.error({ code: why }, notLetIn(refusal))
        refusedFor = refusal?.code
        ends = row
        retry = setTimeout(connect, delayMs)
      },
    })
  }
  connect()

  const request = (message: Request) => welcomed?.request(message) ?? notConnected()

  return {
    request,
    async deliver(message, signal) {
      for (;;) {
        if (signal.aborted) throw new WireError('aborted', 'The run was stopped.')
        if (welcomed === undefined) await oneOf(waitingForWelcome, signal)
        const through = welcomed
        try {
          return await request(message)
        } catch (error) {
          // The close event may come after this rejection; this connection is of no use either way.
          if ((await beforeAgain(error, signal)) === 'elsewhere' && welcomed === through) welcomed = undefined
        }
      }
    },
    tell: (message) => welcomed?.tell(message),
    close() {
      closed = true
      clearTimeout(retry)
      newest?.close()
    },
  }
}

function notConnected(): Promise<never> {
  return Promise.reject(new WireError('disconnected', 'The hub is not connected.'))
}

/** Where a message is sent again, as soon as that makes sense. Throws a refusal that is the last word. */
async function beforeAgain(error: unknown, signal: AbortSignal): Promise<'here' | 'elsewhere'> {
  if (!(error instanceof WireError)) throw error
  if (error.code === 'disconnected') return 'elsewhere'
  if (!passing.includes(error.code)) throw error
  // An abort ends the wait; whoever sends looks at it anyway.
  await sleep(againAfterMs, undefined, { signal }).catch(() => {})
  return 'here'
}

/** Of a refused upgrade, which has a status and no reason. */
function refusalOf(status: number | undefined): string | undefined {
  if (status === 401) return 'unauthenticated'
  return status === 403 ? 'forbidden' : undefined
}

/** For a person who reads the log; said once. */
function notLetIn({ code, message }: WireError): string {
  const why = `the hub does not let this worker in: ${message} It is asked again, less and less often, up to once a minute.`
  if (code !== 'worker_already_connected') return why
  return `${why} Stop the other process, or give this worker a token of its own: npx muster token create NAME --worker`
}

/** Resolves when the next of these callbacks is due; rejects when the signal comes first. */
function oneOf(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      waiting.delete(go)
      signal.removeEventListener('abort', stop)
    }
    const go = () => (leave(), resolve())
    const stop = () => (leave(), reject(new WireError('aborted', 'The run was stopped.')))
    waiting.add(go)
    signal.addEventListener('abort', stop, { once: true })
  })
}
