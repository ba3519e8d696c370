import { instant } from '../clock.ts'
import type { Tap } from './fault-proxy.ts'
import type { PhaseLog } from './phase-log.ts'

type Gate = { at: 'committing' | 'event'; side: 'before' | 'after' }

const writesTask = /\b(?:update|insert\s+into|delete\s+from)\s+(?:tasks|task_queue|runs|evidence)\b/i
const writesEvent = /\binsert\s+into\s+events\b/i

/**
 * Reads what a hub says to PostgreSQL, to know when a transaction about a task writes its event and when it commits, and
 * to stop it exactly there: a gate holds the next such message, or the answer to it, until it is released. So a fault
 * can come between a commit and its answer, which no timing would hit.
 */
export function createPgWatch(hub: string, log: PhaseLog) {
  let lastConnection = 0
  let gate: Gate | undefined
  const errors = new Map<string, number>()
  const holding = new Set<() => void>()
  let losing: { any: boolean; lost: (at: number) => void } | undefined

  const tap = (reset: () => void): Tap => {
    const key = `connection ${++lastConnection}`
    const texts = new Map<string, string>()
    let touches = false
    let isHolding: 'up' | 'down' | undefined
    const waiting: (() => void)[] = []
    let isLosing = false

    /** Takes the gate if it is for this; what follows on this connection waits behind it. */
    const stopAt = (phase: Gate['at']) => {
      if (gate?.at !== phase) return
      isHolding = gate.side === 'before' ? 'up' : 'down'
      gate = undefined
      holding.add(goOn)
    }
    const goOn = () => {
      isHolding = undefined
      for (const piece of waiting.splice(0)) piece()
    }
    const onStatement = (text: string) => {
      if (writesTask.test(text)) touches = true
      if (!touches || !writesEvent.test(text)) return
      log.enter(hub, key, 'event', instant())
      stopAt('event')
    }
    const onUp = framer(true, (type, body) => {
      if (type === 'P') texts.set(cstring(body, 0), cstring(body, cstring(body, 0).length + 1))
      if (type === 'B') onStatement(texts.get(cstring(body, cstring(body, 0).length + 1)) ?? '')
      if (type !== 'Q') return
      const text = cstring(body, 0)
      if (!/^commit/i.test(text)) return
      if (touches) {
        log.enter(hub, key, 'committing', instant())
        stopAt('committing')
      }
      if (losing !== undefined && (touches || losing.any)) isLosing = true
    })
    const onDown = framer(false, (type, body) => {
      if (type === 'E') {
        const code = sqlstate.exec(body.toString('latin1'))?.[1] ?? ''
        errors.set(code, (errors.get(code) ?? 0) + 1)
      }
      if (type !== 'Z' || body.toString('latin1') !== 'I') return
      touches = false
      log.leave(hub, key, instant())
    })
    return {
      piece(way, piece, pass) {
        if (way === 'down' && isLosing) {
          losing?.lost(instant())
          losing = undefined
          return reset()
        }
        if (way === 'up') onUp(piece)
        const go = () => {
          if (way === 'down') onDown(piece)
          pass(piece)
        }
        if (isHolding === way) waiting.push(go)
        else go()
      },
      closed: () => log.leave(hub, key, instant()),
    }
  }

  return {
    tap,
    /** How often the database has answered with this SQLSTATE. */
    errors: (code: string) => errors.get(code) ?? 0,
    /** The next transaction about a task stops there until `release`. */
    gate(wanted: Gate) {
      gate = wanted
    },
    release() {
      gate = undefined
      for (const goOn of holding) goOn()
      holding.clear()
    },
    /** The next commit reaches the database and its answer does not reach the hub. Answers when that happened. */
    loseCommit: (any: boolean) =>
      new Promise<number>((resolve) => {
        losing = { any, lost: resolve }
      }),
  }
}

/** The code is one field of several, each a letter and a text that ends with a zero byte. */
const sqlstate = /\0C([0-9A-Z]{5})\0/

function cstring(body: Buffer, from: number): string {
  return body.toString('utf8', from, body.indexOf(0, from))
}

/** Cuts a stream of PostgreSQL's protocol into its messages; the first of a client has no type. */
function framer(isClient: boolean, onMessage: (type: string, body: Buffer) => void): (piece: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  let isFirst = isClient
  return (piece) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    for (;;) {
      const head = isFirst ? 0 : 1
      if (rest.length < head + 4) return
      const size = head + rest.readInt32BE(head)
      if (rest.length < size) return
      if (!isFirst) onMessage(String.fromCharCode(rest[0] ?? 0), rest.subarray(5, size))
      isFirst = false
      rest = rest.subarray(size)
    }
  }
}
