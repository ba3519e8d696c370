import type { Exchange } from './exchange.ts'
import { pieces, wait } from './play.ts'
import { type Behaviour, type Surface, type Turn, usageOf } from './turn.ts'

export const everyServer: Surface[] = ['ollama', 'openai', 'anthropic']

export const saying: Turn = { text: 'The answer is whole.' }

/** No endless behaviour sends more than this, in case that nobody hangs up. */
export const mostBytes = 64 * 1024 * 1024

export function byHand(behaviour: string, play: (exchange: Exchange) => Promise<void> | void): Behaviour {
  return { behaviour, play: async (exchange) => play(exchange) }
}

/** The body of an ordinary answer, as the client asked for it. */
export function bodyOf(exchange: Exchange, turn: Turn = saying): string {
  if (exchange.stream) return pieces(exchange, turn).join('')
  return exchange.wire.whole(turn, usageOf(turn, exchange.request))
}

export function typeOf({ stream, wire }: Exchange): string {
  return stream ? wire.streamType : 'application/json; charset=utf-8'
}

/** An ordinary answer with a whole body that was changed. */
export function edited(
  behaviour: string,
  turn: Turn,
  edit: (body: string, exchange: Exchange) => string | Buffer,
): Behaviour {
  return byHand(behaviour, (exchange) => {
    exchange.response.writeHead(200, { 'content-type': typeOf(exchange) })
    exchange.response.end(edit(bodyOf(exchange, turn), exchange))
  })
}

/** The beginning of a stream: what opens it and one delta. */
export function opening({ wire, request }: Exchange, text = 'The answer '): string {
  return wire.start(usageOf({ text }, request)) + wire.text(text)
}

export async function untilGone({ gone }: Exchange): Promise<void> {
  while (await wait(60_000, gone));
}

/** Head and body past the HTTP library, which would not write them. */
export function writeRaw({ socket }: Exchange, head: string[], body: string | Buffer = ''): void {
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  if (body.length > 0) socket.write(body)
}

export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}
