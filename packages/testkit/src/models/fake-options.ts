import type { Exchange, Wire } from './exchange.ts'
import type { Answer, FakeServer } from './fake-server.ts'
import { playScript } from './play.ts'
import {
  type AfterLast,
  type Behaviour,
  createScript,
  type Script,
  type TextualDialect,
  type Turn,
  type TurnRequest,
  type TurnSource,
} from './turn.ts'

/** What the three fakes have in common. */
export type FakeOptions = {
  /** One for every call, or a list. `OK` when absent. */
  turns?: TurnSource | TurnSource[]
  /** What comes after the last turn of a list. */
  after?: AfterLast
  /** Before each answer of a turn that says nothing else. */
  latencyMs?: number
  /** Between two pieces of a stream. */
  pieceMs?: number
  /** For turns that name none. */
  dialect?: TextualDialect
  /** Where redirects lead. */
  canaryUrl?: string
  /** What answers a path instead of the fake: `{ '/api/tags': … }`. */
  paths?: Record<string, Behaviour>
}

export type FakeModelServer = FakeServer & {
  /** What the script was asked, in order. */
  asked: TurnRequest[]
  /** From the next call on; the list begins anew. */
  script(turns: TurnSource | TurnSource[], after?: AfterLast): void
}

type Call = Parameters<Answer>[0]
type Chat = {
  read: (index: number) => TurnRequest
  wire: Wire
  stream: boolean
  /** False where the client wants no thinking. */
  thinks?: boolean
}

/** The part of a fake that plays the script, whatever the path. */
export function createPlayer(options: FakeOptions) {
  let script: Script = createScript(options.turns, options.after)
  let first = 0
  const asked: TurnRequest[] = []
  const { latencyMs, pieceMs, dialect, canaryUrl = 'http://127.0.0.1:9/' } = options
  const defaults: Turn = {
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(pieceMs === undefined ? {} : { pieceMs }),
    ...(dialect === undefined ? {} : { dialect }),
  }
  const exchangeOf = (call: Call, request: TurnRequest, wire: Wire, stream: boolean): Exchange => ({
    request,
    stream,
    wire,
    response: call.response,
    socket: call.socket,
    gone: call.gone,
    stopListening: call.server.stopListening,
    canaryUrl,
  })
  return {
    asked,
    script(turns: TurnSource | TurnSource[], after?: AfterLast) {
      script = createScript(turns, after)
      first = asked.length
    },
    async play(call: Call, { read, wire, stream, thinks = true }: Chat) {
      const request = read(asked.length - first)
      asked.push(request)
      const exchange = exchangeOf(call, request, wire, stream)
      await playScript(script, exchange, (turn) => ({
        ...defaults,
        ...turn,
        ...(thinks ? {} : { thinking: '' }),
      }))
    },
    /** True when a behaviour has answered this path. */
    async playPath(call: Call, wire: Wire): Promise<boolean> {
      const behaviour = options.paths?.[call.request.path]
      if (behaviour === undefined) return false
      const request: TurnRequest = {
        surface: wire.surface,
        model: '',
        messages: [],
        tools: [],
        round: 0,
        index: 0,
        body: {},
      }
      await behaviour.play(exchangeOf(call, request, wire, true))
      return true
    },
  }
}

export type Player = ReturnType<typeof createPlayer>
