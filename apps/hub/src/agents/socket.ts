import { workerMessage, type WorkerMessage } from '@muster/contract/wire'
import { isMail, type MailAnswer, type MailMessage } from '@muster/contract/wire-mail'
import type { WebSocket } from 'ws'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Agents } from './agents.ts'
import type { ConditionMessage } from './condition.ts'
import { sender, type Connection } from './connections.ts'
import type { Hello } from './presence.ts'

export type RunMessage = Exclude<
  WorkerMessage,
  { type: 'hello' } | { type: 'walls' } | ConditionMessage | MailMessage
>
export type Decision = { taskId: string; epoch: number; action: 'continue' | 'abort'; reason: string }

/** What the room above does with messages about runs. Throws MusterError to refuse one. */
export type RunHandler = {
  decide(tx: Tx, actor: Actor, hello: Hello): Promise<Decision[]>
  handle(
    actor: Actor,
    connection: Connection,
    message: RunMessage,
  ): Promise<{ lost?: { taskId: string; epoch: number }[] }>
}

/** What the room above does with what agents say to each other. Throws MusterError to refuse a message. */
export type MailHandler = {
  handle(actor: Actor, connection: Connection, message: MailMessage): Promise<MailAnswer>
}

// A worker that says nothing at all within this time after connecting is not a worker.
const helloWithinMs = 10_000

/**
 * Serves one worker's socket: hello first, then its messages strictly in order, each answered once. A message that
 * does not fit the protocol ends the connection; a refused one is answered and changes nothing.
 */
export function serveWorker(deps: {
  agents: Agents
  runs: RunHandler
  mail: MailHandler
  log: Log
  leaseMs: number
  actor: Actor
  socket: WebSocket
}): void {
  const { agents, actor, socket, log } = deps
  const send = sender(socket)
  let connection: Connection | undefined
  let queue = Promise.resolve()
  const timer = setTimeout(() => socket.close(4001, 'no hello'), helloWithinMs)

  const take = async (data: string) => {
    const message = parse(data)
    if (message === undefined || (connection === undefined) !== (message.type === 'hello')) {
      log.warn({ worker: actor.label }, 'a worker broke the protocol')
      return socket.close(4002, 'protocol_violation')
    }
    if (message.type === 'hello') {
      clearTimeout(timer)
      // Gone before it was let in: it must not be offered tasks.
      if (socket.readyState !== socket.OPEN) return
      connection = connectionOf(deps, message)
      await welcome(deps, connection, message, send)
    } else if (connection !== undefined) {
      await answer(deps, connection, message, send)
    }
  }
  const heard = () => {
    if (connection !== undefined) connection.unanswered = 0
  }
  socket.on('pong', heard)
  socket.on('message', (data, isBinary) => {
    heard()
    // In order: output after its run's finish would have nowhere to go.
    queue = queue
      .then(() => (isBinary ? socket.close(4002, 'protocol_violation') : take(String(data))))
      .catch((error: unknown) => {
        log.warn({ err: error, worker: actor.label }, 'a worker message failed; its connection is closed')
        socket.close(error instanceof MusterError && error.status < 500 ? 4009 : 4011, reasonOf(error))
      })
  })
  socket.on('close', () => {
    clearTimeout(timer)
    // Behind a hello that is being answered just now: its worker would stay present for ever, and be given tasks.
    queue = queue
      .then(() => connection && agents.disconnect(actor, connection))
      .catch((error: unknown) =>
        log.warn({ err: error }, 'a worker left unrecorded; presence expires by itself'),
      )
  })
  socket.on('error', (error) => log.info({ err: error, worker: actor.label }, 'worker socket error'))
}

/** A closing reason holds 123 bytes (RFC 6455, section 5.5); the code is what a worker acts on. */
function reasonOf(error: unknown): string {
  return error instanceof MusterError ? error.code : 'internal'
}

/**
 * Commands print any bytes. What PostgreSQL cannot store is replaced here, because a report that is refused for it
 * would be sent again and again.
 */
function storable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value
}

function parse(data: string): WorkerMessage | undefined {
  try {
    const parsed = workerMessage.safeParse(JSON.parse(data, storable))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

type Deps = Parameters<typeof serveWorker>[0]
type Spoken = Exclude<WorkerMessage, { type: 'hello' }>

function connectionOf({ actor, socket }: Deps, hello: Hello): Connection {
  if (actor.kind !== 'worker' || actor.id === null || actor.credentialId === null) {
    throw new MusterError('forbidden', 'Only a worker token may speak here.')
  }
  return {
    workspaceId: actor.workspaceId,
    workerId: actor.id,
    name: actor.label,
    instance: hello.instance,
    credentialId: actor.credentialId,
    slots: hello.slots,
    walls: hello.walls,
    blocked: hello.blocked !== undefined,
    restarting: false,
    unanswered: 0,
    send: sender(socket),
    ping: () => socket.ping(),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  }
}

async function welcome(deps: Deps, connection: Connection, hello: Hello, send: Connection['send']) {
  const { actor } = deps
  // The welcome goes out first: an assignment must not overtake it.
  const early: Parameters<Connection['send']>[0][] = []
  connection.send = (message) => void early.push(message)
  const decisions = await deps.agents.connect(actor, hello, connection, (tx) =>
    deps.runs.decide(tx, actor, hello),
  )
  send({
    type: 'welcome',
    to: hello.id,
    workerId: connection.workerId,
    workerName: actor.label,
    leaseMs: deps.leaseMs,
    decisions,
  })
  for (const message of early) send(message)
  connection.send = send
}

async function answer(
  deps: Deps,
  connection: Connection,
  message: Spoken,
  send: Connection['send'],
): Promise<void> {
  const to = 'id' in message ? message.id : undefined
  try {
    const extra = await act(deps, connection, message)
    if (to !== undefined) send({ type: 'reply', to, ok: true, ...extra })
  } catch (error) {
    // Only a refusal is an answer; anything else closes the socket, and the worker tries again after reconnecting.
    if (!(error instanceof MusterError) || error.status >= 500 || to === undefined) throw error
    send({ type: 'reply', to, ok: false, error: { code: error.code, message: error.message } })
  }
}

async function act({ agents, runs, mail, actor }: Deps, connection: Connection, message: Spoken) {
  switch (message.type) {
    case 'walls':
      await agents.setWalls(actor, connection, message.walls)
      return {}
    case 'condition':
    case 'restarting':
      await agents.onCondition(actor, connection, message)
      return {}
    default:
      return isMail(message)
        ? mail.handle(actor, connection, message)
        : runs.handle(actor, connection, message)
  }
}
