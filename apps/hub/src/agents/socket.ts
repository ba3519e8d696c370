import { errorTable } from '@muster/contract/errors'
import type { Checkpoint } from '@muster/contract/loop'
import { helloWithinMs, maxBadMessages, maxMessageBytes, type WorkerMessage } from '@muster/contract/wire'
import { isMail, type MailAnswer, type MailMessage } from '@muster/contract/wire-mail'
import { closing } from '@muster/contract/wire-closing'
import type { WebSocket } from 'ws'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { isDatabaseTrouble, MusterError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Agents } from './agents.ts'
import type { ConditionMessage } from './condition.ts'
import { sender, type Connection } from './connections.ts'
import { createInbox } from './inbox.ts'
import type { Hello } from './presence.ts'
import { readMessage, type Unfit } from './read-message.ts'

export type RunMessage = Exclude<
  WorkerMessage,
  { type: 'hello' } | { type: 'walls' } | ConditionMessage | MailMessage | ModelMessage
>
export type Decision = { taskId: string; epoch: number; action: 'continue' | 'abort'; reason: string }

/** What the room above does with messages about runs. Throws MusterError to refuse one. */
export type RunHandler = {
  decide(tx: Tx, actor: Actor, hello: Hello): Promise<Decision[]>
  handle(
    actor: Actor,
    connection: Connection,
    message: RunMessage,
  ): Promise<{ lost?: { taskId: string; epoch: number }[]; checkpoint?: Checkpoint | null }>
}

export type ModelMessage = Extract<WorkerMessage, { type: 'ollama_report' }>

/** What the room of models does with what a worker found beside itself. Throws MusterError to refuse it. */
export type ModelHandler = {
  handle(actor: Actor, from: { workerId: string; name: string }, message: ModelMessage): Promise<void>
}

/** What the room above does with what agents say to each other. Throws MusterError to refuse a message. */
export type MailHandler = {
  handle(actor: Actor, connection: Connection, message: MailMessage): Promise<MailAnswer>
}

type Deps = {
  agents: Agents
  runs: RunHandler
  mail: MailHandler
  models: ModelHandler
  log: Log
  leaseMs: number
  actor: Actor
  socket: WebSocket
}

/**
 * Serves one worker's socket: hello first, then its messages strictly in order, each answered once. Any client may be at
 * the other end. A message that does not fit the protocol is answered with what is wrong with it, ten times; a refused
 * one is answered and changes nothing. So is one that could not be written because the database is away or full: the
 * connection stays, because a worker that is not connected cannot be told to stop. Only another failure of ours, or a
 * worker that may not be here, ends it.
 */
export function serveWorker(deps: Deps): void {
  const { agents, actor, socket, log } = deps
  const send = sender(socket)
  let connection: Connection | undefined
  let bad = 0
  /** Ended by us. What the worker had sent after the cause is not taken any more. */
  let isOver = false
  const end = (code: number, reason: string) => {
    isOver = true
    socket.close(code, reason)
  }
  const inbox = createInbox(socket, (error) => {
    log.warn({ err: error, worker: actor.label }, 'a worker message failed; its connection is closed')
    if (isRefusal(error)) end(closing.notLetIn.code, error.code)
    else end(closing.failed.code, 'internal')
  })

  const complain = ({ to, code, message }: Unfit) => {
    bad += 1
    log.warn({ worker: actor.label, code, what: message }, 'a worker broke the protocol')
    send({ type: 'error', to, ...explained(code, message) })
    if (code === 'frame_too_large') end(closing.frameTooLarge.code, code)
    else if (bad > maxBadMessages) end(closing.tooManyBad.code, 'protocol_violation')
  }
  const take = async (message: ReturnType<typeof readMessage>) => {
    if ('unfit' in message) return complain(message.unfit)
    if (message.type === 'hello') {
      clearTimeout(timer)
      // Gone before it was let in: it must not be offered tasks.
      if (socket.readyState !== socket.OPEN) return
      connection = connectionOf(deps, message, inbox.isPaused)
      await welcome(deps, connection, message, send)
    } else if (connection !== undefined) {
      await answer(deps, connection, message, send)
    }
  }
  const timer = setTimeout(() => {
    complain({ to: undefined, code: 'hello_required', message: 'There was no hello within 10 s.' })
    end(closing.noHello.code, 'hello_required')
  }, helloWithinMs)

  const heard = () => {
    if (connection !== undefined) connection.unanswered = 0
  }
  socket.on('pong', heard)
  socket.on('message', (data, isBinary) => {
    heard()
    const unfit = isBinary ? binary : sizeOf(data) > maxMessageBytes ? tooLarge : undefined
    if (unfit !== undefined) return inbox.put(() => (isOver ? undefined : complain(unfit)))
    // Until it has said hello, what its messages mean depends on those before them.
    const early = connection === undefined ? undefined : readMessage(String(data), true)
    inbox.put(
      () => (isOver ? undefined : take(early ?? readMessage(String(data), connection !== undefined))),
      // In order within a run: output after its finish would have nowhere to go.
      early !== undefined && 'taskId' in early ? early.taskId : undefined,
    )
  })
  socket.on('close', () => {
    clearTimeout(timer)
    // Behind a hello that is being answered just now: its worker would stay present for ever, and be given tasks.
    inbox.put(async () => {
      if (connection === undefined) return
      await agents.disconnect(actor, connection).catch((error: unknown) => {
        log.warn({ err: error }, 'a worker left unrecorded; presence expires by itself')
      })
    })
  })
  socket.on('error', (error) => log.info({ err: error, worker: actor.label }, 'worker socket error'))
}

const binary: Unfit = {
  to: undefined,
  code: 'malformed_json',
  message: 'The frame is binary; messages are JSON in text frames.',
}
const tooLarge: Unfit = {
  to: undefined,
  code: 'frame_too_large',
  message: `The message is larger than ${maxMessageBytes} bytes.`,
}

function sizeOf(data: Buffer | ArrayBuffer | Buffer[]): number {
  return Array.isArray(data) ? data.reduce((sum, part) => sum + part.length, 0) : data.byteLength
}

function isRefusal(error: unknown): error is MusterError {
  return error instanceof MusterError && error.status < 500
}

function explained(code: MusterError['code'], message: string) {
  return { code, message, hint: errorTable[code].hint }
}

type Spoken = Exclude<WorkerMessage, { type: 'hello' }>

function connectionOf({ actor, socket }: Deps, hello: Hello, isPaused: () => boolean): Connection {
  if (actor.kind !== 'worker' || actor.id === null || actor.credentialId === null) {
    throw new MusterError('forbidden', 'Only a worker token may speak here.')
  }
  const connection: Connection = {
    workspaceId: actor.workspaceId,
    workerId: actor.id,
    name: actor.label,
    instance: hello.instance,
    credentialId: actor.credentialId,
    slots: hello.slots,
    capabilities: hello.capabilities,
    walls: hello.walls,
    blocked: hello.blocked !== undefined,
    restarting: false,
    unanswered: 0,
    send: sender(socket),
    ping: () => {
      // It has sent more than could be worked through: it is there, and its pong would not be read.
      if (isPaused()) connection.unanswered = 0
      else socket.ping()
    },
    backlog: () => socket.bufferedAmount,
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  }
  return connection
}

async function welcome(deps: Deps, connection: Connection, hello: Hello, send: Connection['send']) {
  const { actor } = deps
  // The welcome goes out first: an assignment must not overtake it.
  const early: Parameters<Connection['send']>[0][] = []
  connection.send = (message) => void early.push(message)
  try {
    const decisions = await deps.agents.connect(actor, hello, connection, (tx) =>
      deps.runs.decide(tx, actor, hello),
    )
    const { workerId } = connection
    const { leaseMs } = deps
    send({ type: 'welcome', to: hello.id, workerId, workerName: actor.label, leaseMs, decisions })
  } catch (error) {
    // The closing reason has the code too, for clients that look only there.
    if (isRefusal(error)) send({ type: 'error', to: hello.id, ...explained(error.code, error.message) })
    throw error
  }
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
    // Anything else closes the socket, and the worker tries again after reconnecting.
    if (!isRefusal(error) && !isDatabaseTrouble(error)) throw error
    const said = explained(error.code, error.message)
    send(to === undefined ? { type: 'error', ...said } : { type: 'reply', to, ok: false, error: said })
  }
}

async function act({ agents, runs, mail, models, actor }: Deps, connection: Connection, message: Spoken) {
  switch (message.type) {
    case 'walls':
      await agents.setWalls(actor, connection, message.walls)
      return {}
    case 'ollama_report':
      await models.handle(actor, connection, message)
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
