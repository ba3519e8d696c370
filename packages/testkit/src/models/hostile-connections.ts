import type { Hostile } from './hostile.ts'
import {
  bodyOf,
  byHand,
  chunk,
  everyServer,
  mostBytes,
  opening,
  typeOf,
  untilGone,
  writeRaw,
} from './hostile-by-hand.ts'
import { beginStream, send, wait } from './play.ts'

const servers = everyServer

/** What happens below the answer: the connection, its silence and the framing of HTTP. */
export const hostileConnections: Hostile[] = [
  {
    name: 'refuses connections',
    servers,
    ends: ['unavailable'],
    refusesConnections: true,
    turn: byHand('refuses connections', ({ stopListening, socket }) => {
      stopListening()
      socket.resetAndDestroy()
    }),
  },
  {
    name: 'accepts and stays silent',
    servers,
    ends: ['unavailable'],
    endedBy: 'silence',
    turn: byHand('accepts and stays silent', untilGone),
  },
  {
    name: 'sends headers and stays silent',
    servers,
    ends: ['unavailable'],
    endedBy: 'silence',
    turn: byHand('sends headers and stays silent', (exchange) => {
      beginStream(exchange)
      return untilGone(exchange)
    }),
  },
  {
    name: 'begins to answer and stays silent',
    servers,
    ends: ['cut_off'],
    endedBy: 'silence',
    turn: byHand('begins to answer and stays silent', async (exchange) => {
      beginStream(exchange)
      await send(exchange, opening(exchange))
      await untilGone(exchange)
    }),
  },
  {
    name: 'resets before the headers',
    servers,
    ends: ['unavailable'],
    turn: byHand('resets before the headers', ({ socket }) => void socket.resetAndDestroy()),
  },
  {
    name: 'closes before the headers',
    servers,
    ends: ['unavailable'],
    turn: byHand('closes before the headers', ({ socket }) => void socket.end()),
  },
  {
    name: 'closes after the headers',
    servers,
    ends: ['unavailable', 'cut_off'],
    turn: byHand('closes after the headers', async (exchange) => {
      beginStream(exchange)
      await wait(20, exchange.gone)
      exchange.socket.destroy()
    }),
  },
  {
    name: 'resets in the middle of a line',
    servers,
    ends: ['cut_off'],
    turn: byHand('resets in the middle of a line', async (exchange) => {
      beginStream(exchange)
      await send(exchange, opening(exchange))
      await send(exchange, exchange.wire.text('is whole.').slice(0, -20))
      // Time for the bytes to arrive, because a reset throws away what waits.
      await wait(50, exchange.gone)
      exchange.socket.resetAndDestroy()
    }),
  },
  {
    name: 'closes in the middle of an answer',
    servers,
    ends: ['cut_off'],
    turn: byHand('closes in the middle of an answer', async (exchange) => {
      beginStream(exchange)
      await send(exchange, opening(exchange))
      exchange.socket.end()
    }),
  },
  {
    name: 'drips a byte every 50 ms for ever',
    servers,
    ends: ['unavailable'],
    endedBy: 'silence',
    turn: byHand('drips a byte every 50 ms for ever', async (exchange) => {
      beginStream(exchange)
      const line = exchange.wire.text('a'.repeat(10_000))
      for (const byte of line.slice(0, -100)) {
        if (!(await send(exchange, byte)) || !(await wait(50, exchange.gone))) return
      }
      await untilGone(exchange)
    }),
  },
  {
    name: 'sends a whole answer byte by byte',
    servers,
    ends: ['ok'],
    turn: byHand('sends a whole answer byte by byte', async (exchange) => {
      exchange.response.writeHead(200, { 'content-type': typeOf(exchange) })
      for (const byte of Buffer.from(bodyOf(exchange, { text: 'é🎉' }))) {
        if (!(await send(exchange, Buffer.from([byte])))) return
      }
      exchange.response.end()
    }),
  },
  {
    name: 'sends nothing but blank lines for ever',
    servers,
    ends: ['unavailable'],
    endedBy: 'silence',
    turn: byHand('sends nothing but blank lines for ever', async (exchange) => {
      beginStream(exchange)
      const nothing = exchange.wire.surface === 'ollama' ? '\n' : ': keep-alive\n\n'
      while (await send(exchange, nothing)) if (!(await wait(50, exchange.gone))) return
    }),
  },
  {
    name: 'answers as HTTP/1.0 without a length and is cut',
    servers,
    ends: ['cut_off'],
    turn: byHand('answers as HTTP/1.0 without a length and is cut', (exchange) => {
      writeRaw(exchange, ['HTTP/1.0 200 OK', `Content-Type: ${typeOf(exchange)}`], opening(exchange))
      exchange.socket.end()
    }),
  },
  {
    name: 'says that the answer is longer than it is',
    servers,
    ends: ['cut_off'],
    turn: byHand('says that the answer is longer than it is', (exchange) => {
      const body = opening(exchange)
      const length = Buffer.byteLength(body) + 1000
      writeRaw(
        exchange,
        ['HTTP/1.1 200 OK', `Content-Type: ${typeOf(exchange)}`, `Content-Length: ${length}`],
        body,
      )
      exchange.socket.end()
    }),
  },
  {
    name: 'says that the answer is shorter than it is',
    servers,
    ends: ['cut_off', 'unavailable'],
    turn: byHand('says that the answer is shorter than it is', (exchange) => {
      const body = bodyOf(exchange)
      const length = Buffer.byteLength(opening(exchange)) + 5
      writeRaw(
        exchange,
        ['HTTP/1.1 200 OK', `Content-Type: ${typeOf(exchange)}`, `Content-Length: ${length}`],
        body,
      )
      exchange.socket.end()
    }),
  },
  {
    name: 'writes a chunk whose length is no number',
    servers,
    ends: ['cut_off'],
    turn: byHand('writes a chunk whose length is no number', async (exchange) => {
      writeRaw(exchange, chunkedHead(typeOf(exchange)), chunk(opening(exchange)))
      await wait(50, exchange.gone)
      exchange.socket.end('zzz\r\nnonsense\r\n')
    }),
  },
  {
    name: 'ends with trailers that are nonsense',
    servers,
    ends: ['ok', 'cut_off'],
    turn: byHand('ends with trailers that are nonsense', (exchange) => {
      writeRaw(exchange, chunkedHead(typeOf(exchange)), chunk(bodyOf(exchange)))
      exchange.socket.end('0\r\nno colon here\r\n: no name\r\n\r\n')
    }),
  },
  {
    name: 'sends two answers to one question',
    servers,
    ends: ['ok'],
    turn: byHand('sends two answers to one question', (exchange) => {
      const answer = (text: string) => {
        const body = bodyOf(exchange, { text })
        const head = [...chunkedHead(typeOf(exchange)), '', chunk(body)].join('\r\n')
        return `${head}0\r\n\r\n`
      }
      exchange.socket.end(answer('The first answer.') + answer('The second answer.'))
    }),
  },
  {
    name: 'sends headers without end',
    servers,
    ends: ['unavailable'],
    turn: byHand('sends headers without end', async (exchange) => {
      exchange.socket.write('HTTP/1.1 200 OK\r\n')
      const line = `X-More: ${'x'.repeat(1000)}\r\n`
      for (let sent = 0; sent < mostBytes && !exchange.gone.aborted; sent += line.length) {
        if (exchange.socket.destroyed) return
        if (!exchange.socket.write(line)) await wait(5, exchange.gone)
      }
      exchange.socket.destroy()
    }),
  },
  {
    name: 'answers something that is not HTTP',
    servers,
    ends: ['unavailable'],
    turn: byHand('answers something that is not HTTP', ({ socket }) => {
      socket.end('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n')
    }),
  },
  {
    name: 'switches to another protocol',
    servers,
    ends: ['unavailable'],
    turn: byHand('switches to another protocol', (exchange) => {
      writeRaw(exchange, ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'])
      exchange.socket.end()
    }),
  },
]

const chunkedHead = (type: string) => [
  'HTTP/1.1 200 OK',
  `Content-Type: ${type}`,
  'Transfer-Encoding: chunked',
]
