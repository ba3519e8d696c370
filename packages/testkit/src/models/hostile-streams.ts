import { gzipSync } from 'node:zlib'
import type { Exchange } from './exchange.ts'
import type { Hostile } from './hostile.ts'
import { bodyOf, byHand, edited, everyServer, mostBytes, opening, saying, typeOf } from './hostile-by-hand.ts'
import { beginStream, send } from './play.ts'
import { usageOf } from './turn.ts'

const servers = everyServer
const megabyte = 1024 * 1024

/** What is wrong with the bytes of an answer whose connection is right. */
export const hostileStreams: Hostile[] = [
  {
    name: 'ends the stream without saying that it is whole',
    servers,
    ends: ['cut_off'],
    turn: byHand('ends the stream without saying that it is whole', (exchange) => {
      beginStream(exchange)
      exchange.response.end(opening(exchange) + exchange.wire.text('is whole.'))
    }),
  },
  {
    name: 'ends the stream after a call without saying that it is whole',
    servers,
    ends: ['cut_off'],
    turn: byHand('ends the stream after a call without saying that it is whole', (exchange) => {
      beginStream(exchange)
      const name = exchange.request.tools[0]?.name ?? 'read_file'
      exchange.response.end(opening(exchange) + exchange.wire.calls([{ name, args: { path: 'a' } }]).join(''))
    }),
  },
  {
    name: 'says an error in the middle, under status 200',
    servers,
    ends: ['cut_off', 'unavailable', 'busy'],
    turn: byHand('says an error in the middle, under status 200', (exchange) => {
      beginStream(exchange)
      exchange.response.end(
        opening(exchange) + exchange.wire.streamError('an error was encountered while running the model'),
      )
    }),
  },
  {
    name: 'says an error in the middle and goes on as if it were whole',
    servers,
    ends: ['cut_off', 'unavailable', 'busy'],
    turn: byHand('says an error in the middle and goes on as if it were whole', (exchange) => {
      const { wire, request, response } = exchange
      beginStream(exchange)
      const end = wire.end({ why: 'stop', calls: false, usage: usageOf({}, request) })
      response.end(opening(exchange) + wire.streamError('the model runner has stopped') + end)
    }),
  },
  {
    name: 'says nothing but an error, under status 200',
    servers,
    ends: ['cut_off', 'unavailable', 'busy'],
    turn: byHand('says nothing but an error, under status 200', (exchange) => {
      beginStream(exchange)
      exchange.response.end(exchange.wire.streamError('the model runner has stopped'))
    }),
  },
  {
    name: 'sends garbage',
    servers,
    ends: ['unavailable', 'cut_off'],
    turn: byHand('sends garbage', (exchange) => {
      beginStream(exchange)
      exchange.response.end(noise(4096))
    }),
  },
  {
    name: 'sends garbage in the middle',
    servers,
    ends: ['cut_off'],
    turn: byHand('sends garbage in the middle', async (exchange) => {
      beginStream(exchange)
      await send(exchange, opening(exchange))
      await send(exchange, exchange.wire.surface === 'ollama' ? '{"mess' : 'data: {"mess')
      await send(exchange, noise(4096))
      exchange.response.end('\n\n')
    }),
  },
  {
    name: 'sends text that is not UTF-8',
    servers,
    ends: ['ok', 'cut_off'],
    turn: edited('sends text that is not UTF-8', { text: 'before@after' }, (body) => {
      const at = body.indexOf('@')
      return Buffer.concat([
        Buffer.from(body.slice(0, at)),
        Buffer.from([0xff, 0xc3, 0x28]),
        Buffer.from(body.slice(at + 1)),
      ])
    }),
  },
  {
    name: 'answers with a page of HTML',
    servers,
    ends: ['unavailable', 'cut_off'],
    turn: byHand('answers with a page of HTML', ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/html' })
      response.end('<!doctype html><html><body><h1>Welcome to nginx!</h1></body></html>\n')
    }),
  },
  {
    name: 'answers with an empty body',
    servers,
    ends: ['unavailable', 'cut_off'],
    turn: byHand('answers with an empty body', (exchange) => {
      exchange.response.writeHead(200, { 'content-type': typeOf(exchange), 'content-length': '0' })
      exchange.response.end()
    }),
  },
  {
    name: 'answers that there is no content',
    servers,
    ends: ['unavailable', 'cut_off'],
    turn: byHand('answers that there is no content', ({ response }) => void response.writeHead(204).end()),
  },
  {
    name: 'sends a line of 8 MB',
    servers,
    ends: ['ok', 'cut_off'],
    turn: { text: 'a'.repeat(8 * megabyte) },
  },
  {
    name: 'sends tokens for ever',
    servers,
    ends: ['aborted', 'cut_off'],
    endedBy: 'caller',
    turn: byHand('sends tokens for ever', (exchange) => forEver(exchange, exchange.wire.text)),
  },
  {
    name: 'thinks for ever',
    servers,
    ends: ['aborted', 'cut_off'],
    endedBy: 'caller',
    turn: byHand('thinks for ever', (exchange) => forEver(exchange, exchange.wire.thinking)),
  },
  {
    name: 'sends one line that has no end',
    servers,
    ends: ['cut_off', 'unavailable', 'aborted'],
    endedBy: 'silence',
    turn: byHand('sends one line that has no end', async (exchange) => {
      beginStream(exchange)
      const piece = 'a'.repeat(64 * 1024)
      let open = await send(exchange, exchange.wire.text('a').split('a"')[0] ?? '')
      for (let sent = 0; open && sent < mostBytes; sent += piece.length) open = await send(exchange, piece)
      exchange.response.end()
    }),
  },
  {
    name: 'packs 256 MB into a small answer',
    servers,
    ends: ['cut_off', 'unavailable', 'aborted'],
    turn: byHand('packs 256 MB into a small answer', (exchange) => {
      exchange.response.writeHead(200, { 'content-type': typeOf(exchange), 'content-encoding': 'gzip' })
      // Members of a gzip may follow each other, so that this side never holds what the other one unpacks.
      const member = gzipSync(Buffer.alloc(16 * megabyte, ' '))
      exchange.response.end(Buffer.concat(Array.from({ length: 16 }, () => member)))
    }),
  },
  {
    name: 'says gzip and is not',
    servers,
    ends: ['cut_off', 'unavailable'],
    turn: byHand('says gzip and is not', (exchange) => {
      exchange.response.writeHead(200, { 'content-type': typeOf(exchange), 'content-encoding': 'gzip' })
      exchange.response.end(bodyOf(exchange))
    }),
  },
  {
    name: 'names a content type that is not its own',
    servers,
    ends: ['ok', 'unavailable', 'cut_off'],
    turn: byHand('names a content type that is not its own', (exchange) => {
      exchange.response.writeHead(200, { 'content-type': 'image/png' })
      exchange.response.end(bodyOf(exchange))
    }),
  },
  {
    name: 'ends its lines with CR and LF',
    servers,
    ends: ['ok'],
    turn: edited('ends its lines with CR and LF', saying, (body) => body.replaceAll('\n', '\r\n')),
  },
  {
    name: 'mixes ends of lines',
    servers,
    ends: ['ok'],
    turn: edited('mixes ends of lines', saying, (body) => {
      let count = 0
      // Pairs, since an event ends with an empty line.
      return body.replace(/\n+/g, (ends) => (count++ % 2 === 0 ? ends : ends.replaceAll('\n', '\r\n')))
    }),
  },
  {
    name: 'begins with a byte order mark',
    servers,
    ends: ['ok', 'cut_off', 'unavailable'],
    turn: edited('begins with a byte order mark', saying, (body) => `\uFEFF${body}`),
  },
  {
    name: 'goes on after the end',
    servers,
    ends: ['ok'],
    turn: edited('goes on after the end', saying, (body, { wire, stream }) =>
      stream ? body + wire.text('more that nobody asked for') : body,
    ),
  },
  {
    name: 'ends twice',
    servers,
    ends: ['ok'],
    turn: edited('ends twice', saying, (body, { wire, stream, request }) =>
      stream ? body + wire.end({ why: 'stop', calls: false, usage: usageOf({}, request) }) : body,
    ),
  },
  {
    name: 'sends null where text stands',
    servers,
    ends: ['ok', 'cut_off', 'unavailable'],
    turn: edited('sends null where text stands', { text: 'NULL' }, (body) =>
      body.replaceAll('"NULL"', 'null'),
    ),
  },
  {
    name: 'leaves out the message',
    servers,
    ends: ['cut_off', 'unavailable', 'ok'],
    turn: edited('leaves out the message', saying, (body) =>
      body.replace(/"(message|choices|delta)":/g, '"x":'),
    ),
  },
]

async function forEver(exchange: Exchange, write: (text: string) => string): Promise<void> {
  beginStream(exchange)
  let open = await send(exchange, exchange.wire.start(usageOf({}, exchange.request)))
  for (let sent = 0; open && sent < mostBytes; sent += 200) {
    open = await send(exchange, write('and on '))
    // Lets the rest of this process live: a socket that always takes more would never give way.
    if (sent % 20_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  exchange.socket.destroy()
}

/** The same bytes each time, none of them a line end. */
function noise(length: number): Buffer {
  let state = 42
  return Buffer.from(
    Array.from({ length }, () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      const byte = state % 256
      return byte === 10 || byte === 13 ? 0 : byte
    }),
  )
}
