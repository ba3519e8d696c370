import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Push } from './connection.ts'
import { createHubLink, type HubLink } from './hub-link.ts'
import pino from 'pino'
import { createLog, type Log } from './log.ts'
import { takeMessage } from './take-message.ts'

/** A hub that is only its wire: real sockets, and answers as the test wants them. */
let server: Server
let sockets: WebSocketServer
let seen: Record<string, unknown>[]
let onMessage: (socket: WebSocket, message: Record<string, unknown>) => void
let link: HubLink | undefined

const never = new AbortController().signal
const id = '01a1fcba-e42f-706e-8a4d-c1dffa8f8dfe'
const log = createLog('error')

beforeEach(async () => {
  seen = []
  onMessage = answerAll
  server = createServer()
  sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Record<string, unknown>
      seen.push(message)
      onMessage(socket, message)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  link?.close()
  for (const socket of sockets.clients) socket.terminate()
  await new Promise((resolve) => server.close(resolve))
})

function answerAll(socket: WebSocket, message: Record<string, unknown>): void {
  if (message['type'] === 'hello') {
    const welcome = {
      type: 'welcome',
      to: message['id'],
      workerId: id,
      workerName: 'w',
      leaseMs: 10_000,
      decisions: [],
    }
    return socket.send(JSON.stringify(welcome))
  }
  socket.send(JSON.stringify({ type: 'reply', to: message['id'], ok: true }))
}

type Given = {
  onPush?: (message: Push) => void
  onFinal?: (reason: string) => void
  onWelcome?: () => void
  log?: Log
}

function connect(options: Given = {}): HubLink {
  const { port } = server.address() as { port: number }
  link = createHubLink({
    origin: `http://127.0.0.1:${port}`,
    token: 'muster_worker_secret',
    log: options.log ?? log,
    hello: () => ({
      type: 'hello',
      wire: 1,
      instance: 'i',
      version: '0',
      host: 'h',
      slots: 1,
      capabilities: [],
      walls: [],
      holding: [],
    }),
    onWelcome: options.onWelcome ?? (() => {}),
    onMessage: options.onPush ?? (() => {}),
    onFinal: options.onFinal ?? (() => {}),
  })
  return link
}

test('hello is the first thing said, and nothing else is sent before the hub has answered it', async () => {
  const hub = connect()
  await hub.deliver({ type: 'accept', taskId: id, epoch: 1 }, never)
  expect(seen.map((message) => message['type'])).toEqual(['hello', 'accept'])
})

test('a message whose answer was lost with the connection is sent again on the next one, after a new hello', async () => {
  let cut = false
  onMessage = (socket, message) => {
    if (message['type'] === 'accept' && !cut) {
      cut = true
      return socket.terminate()
    }
    answerAll(socket, message)
  }
  await connect().deliver({ type: 'accept', taskId: id, epoch: 1 }, never)
  expect(seen.map((message) => message['type'])).toEqual(['hello', 'accept', 'hello', 'accept'])
})

test('a message of another agent is noted, and acknowledged so that it does not come after each reconnect', async () => {
  const lines: string[] = []
  const said = pino({ level: 'info' }, { write: (line) => void lines.push(line) })
  onMessage = (socket, message) => {
    answerAll(socket, message)
    if (message['type'] !== 'hello') return
    const words = {
      id,
      seq: 9,
      replyTo: null,
      root: id,
      text: 'canary',
      data: null,
      at: new Date().toISOString(),
    }
    const from = { kind: 'worker', name: 'box' }
    const all = { ...words, from, to: null, channel: null }
    socket.send(JSON.stringify({ type: 'agent_joined', name: 'box', status: '' }))
    socket.send(JSON.stringify({ type: 'message', cursor: 4, dropped: 0, message: all }))
  }
  const own = connect({
    onPush: (push) =>
      push.type === 'message' && takeMessage({ link: () => own, log: said, closing: never }, push),
  })
  await expect.poll(() => seen.at(-1)).toMatchObject({ type: 'mail_ack', cursor: 4 })
  expect(lines.join('')).toContain('box')
  expect(lines.join('')).not.toContain('canary')
})

test('a refusal of the hub is not sent again and carries its code', async () => {
  onMessage = (socket, message) => {
    if (message['type'] === 'hello') return answerAll(socket, message)
    const error = { code: 'stale_epoch', message: 'no' }
    socket.send(JSON.stringify({ type: 'reply', to: message['id'], ok: false, error }))
  }
  const delivery = connect().deliver({ type: 'accept', taskId: id, epoch: 1 }, never)
  await expect(delivery).rejects.toMatchObject({ code: 'stale_epoch' })
  expect(seen).toHaveLength(2)
})

test.each(['database_unavailable', 'database_full'])(
  'what the hub cannot write down (%s) is said again on the same connection until it can',
  async (code) => {
    let refusals = 2
    onMessage = (socket, message) => {
      if (message['type'] === 'hello' || refusals-- <= 0) return answerAll(socket, message)
      const error = { code, message: 'not now' }
      socket.send(JSON.stringify({ type: 'reply', to: message['id'], ok: false, error }))
    }
    await connect().deliver({ type: 'accept', taskId: id, epoch: 1 }, never)
    expect(seen.map((message) => message['type'])).toEqual(['hello', 'accept', 'accept', 'accept'])
  },
)

test('a delivery that the hub cannot write down ends with its run', async () => {
  const stop = new AbortController()
  onMessage = (socket, message) => {
    if (message['type'] === 'hello') return answerAll(socket, message)
    const error = { code: 'database_unavailable', message: 'not now' }
    socket.send(JSON.stringify({ type: 'reply', to: message['id'], ok: false, error }))
    setTimeout(() => stop.abort(), 20)
  }
  const delivery = connect().deliver({ type: 'accept', taskId: id, epoch: 1 }, stop.signal)
  await expect(delivery).rejects.toMatchObject({ code: 'aborted' })
  expect(seen).toHaveLength(2)
})

test('a delivery ends with its run while the hub is away', async () => {
  onMessage = () => {}
  const stop = new AbortController()
  const delivery = connect().deliver({ type: 'accept', taskId: id, epoch: 1 }, stop.signal)
  setTimeout(() => stop.abort(), 50)
  await expect(delivery).rejects.toMatchObject({ code: 'aborted' })
})

test('a token that no longer counts ends the link instead of knocking for ever', async () => {
  server.removeAllListeners('upgrade')
  server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n'))
  const reason = await new Promise((resolve) => connect({ onFinal: resolve }))
  expect(reason).toBe('unauthenticated')
})

test('an answer that is not of the protocol is passed over and the connection goes on', async () => {
  onMessage = (socket, message) => {
    socket.send(JSON.stringify({ type: 'nonsense' }))
    answerAll(socket, message)
  }
  await expect(connect().deliver({ type: 'accept', taskId: id, epoch: 1 }, never)).resolves.toMatchObject({
    ok: true,
  })
})

test('a worker that is not let in says why once, tries again ever later, and stops for a final refusal', async () => {
  const lines: { level: number; code?: string; msg: string }[] = []
  const heard = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const at: number[] = []
  onMessage = (socket, message) => {
    at.push(performance.now())
    const code = at.length < 4 ? 'worker_already_connected' : 'not_found'
    const refusal = { type: 'error', to: message['id'], code, message: 'No.', hint: 'Go.' }
    socket.send(JSON.stringify(refusal))
    // As a hub closes; the code reaches the worker by the message too.
    socket.close(4009, code)
  }
  const reason = await new Promise((resolve) => connect({ onFinal: resolve, log: heard }))
  expect(reason).toBe('not_found')
  const [first = 0, second = 0] = at.slice(1).map((time, before) => time - (at[before] ?? 0))
  expect(first).toBeGreaterThan(900)
  expect(second).toBeGreaterThan(1_900)
  expect(lines.map(({ code }) => code)).toEqual(['worker_already_connected'])
  expect(lines[0]?.msg).toMatch(/token of its own: npx muster token create/)
}, 15_000)

test('a message that the hub cannot take is answered to whoever sent it, with the code', async () => {
  onMessage = (socket, message) => {
    if (message['type'] === 'hello') return answerAll(socket, message)
    const refusal = {
      type: 'error',
      to: message['id'],
      code: 'invalid_message',
      message: 'epoch: no',
      hint: '',
    }
    socket.send(JSON.stringify(refusal))
  }
  const delivery = connect().deliver({ type: 'accept', taskId: id, epoch: 1 }, never)
  await expect(delivery).rejects.toMatchObject({ code: 'invalid_message', message: 'epoch: no' })
})
