import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { inDialect } from './dialects.ts'
import type { Exchange } from './exchange.ts'
import { type Behaviour, type Script, type Turn, usageOf } from './turn.ts'

/** Asks the script and answers as it says. */
export async function playScript(
  script: Script,
  exchange: Exchange,
  completed: (turn: Turn) => Turn,
): Promise<void> {
  const turn = await script(exchange.request)
  if (turn === 'script ended') {
    answerWhole(exchange, 500, exchange.wire.error(500, 'script ended'))
    return
  }
  if (isBehaviour(turn)) return turn.play(exchange)
  await playTurn(exchange, completed(turn))
}

export function isBehaviour(turn: Turn | Behaviour): turn is Behaviour {
  return 'behaviour' in turn
}

export async function playTurn(exchange: Exchange, turn: Turn): Promise<void> {
  const { response, wire, gone } = exchange
  if (!(await wait(turn.latencyMs, gone))) return
  const usage = usageOf(turn, exchange.request)
  if (!exchange.stream) return answerWhole(exchange, 200, wire.whole(inDialect(turn), usage))
  beginStream(exchange)
  for (const piece of pieces(exchange, turn)) {
    if (!(await send(exchange, piece)) || !(await wait(turn.pieceMs, gone))) return
  }
  response.end()
}

/** Everything a whole stream of this turn consists of. */
export function pieces({ wire, request }: Pick<Exchange, 'wire' | 'request'>, turn: Turn): string[] {
  const { text = '', thinking = '', calls = [], why = 'stop' } = inDialect(turn)
  const usage = usageOf(turn, request)
  return [
    wire.start(usage),
    ...split(thinking).map((delta) => wire.thinking(delta)),
    ...split(text).map((delta) => wire.text(delta)),
    ...(calls.length > 0 ? wire.calls(calls) : []),
    wire.end({ why, calls: calls.length > 0, usage }),
  ].filter((piece) => piece !== '')
}

export function beginStream({ response, wire }: Exchange, status = 200): void {
  response.writeHead(status, { 'content-type': wire.streamType, 'cache-control': 'no-cache' })
  response.flushHeaders()
}

/** False when nobody reads any more; waits for a reader that is slower than we. */
export async function send({ response, gone }: Exchange, piece: string | Buffer): Promise<boolean> {
  if (gone.aborted) return false
  if (response.write(piece)) return true
  // Rejects when the connection is gone, which is the other thing that may end the waiting.
  await once(response, 'drain', { signal: gone }).catch(() => {})
  return !gone.aborted
}

/** False when the connection is gone before the time is up. */
export async function wait(ms: number | undefined, gone: AbortSignal): Promise<boolean> {
  if (ms === undefined || ms === 0) return !gone.aborted
  await sleep(ms, undefined, { signal: gone }).catch(() => {})
  return !gone.aborted
}

export function answerWhole({ response }: Pick<Exchange, 'response'>, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(body)
}

/** Words, as a model streams them; long texts in at most 200 pieces. */
function split(text: string): string[] {
  const words = text.match(/\s*\S+\s*/gu) ?? (text === '' ? [] : [text])
  const each = Math.ceil(words.length / 200)
  if (each <= 1) return words
  return Array.from({ length: Math.ceil(words.length / each) }, (_, i) =>
    words.slice(i * each, (i + 1) * each).join(''),
  )
}
