import type { Exchange } from './exchange.ts'

/**
 * One answer of a scripted model, the same for every wire. A turn without anything is an empty answer.
 */
export type Turn = {
  text?: string
  thinking?: string
  calls?: ScriptedCall[]
  /** Writes the calls into the text, as models without native calling do. */
  dialect?: TextualDialect
  /** What the server says it counted; an estimate of four characters per token where it is left out. */
  usage?: Partial<TurnUsage>
  why?: TurnEnd
  /** Before the first byte. */
  latencyMs?: number
  /** Between two pieces of the stream. */
  pieceMs?: number
}

export type TurnEnd = 'stop' | 'length' | 'refused'

export type TurnUsage = {
  /** All of it, the cached part too, on every wire. */
  inputTokens: number
  outputTokens: number
  cacheReadTokens: number
  cacheWriteTokens: number
}

/** A whole call; what differs from `{ name, args }` is for servers that misbehave. */
export type ScriptedCall = {
  /** `null` leaves it out. */
  name: string | null
  args?: unknown
  /** Stands where the arguments stand, as it is, JSON or not. */
  rawArgs?: string
  /** Made by the server where it is absent; `null` leaves it out. */
  id?: string | null
}

export type TextualDialect = 'tool_call_json' | 'function_xml' | 'fenced_json' | 'bare_json'

export type Surface = 'ollama' | 'openai' | 'anthropic'

/** What a turn may depend on, in words that are the same for every wire. */
export type TurnRequest = {
  surface: Surface
  model: string
  messages: TurnMessage[]
  tools: { name: string; parameters: unknown }[]
  /** Answers that this conversation already holds, so that conversations on one server do not mix. */
  round: number
  /** Calls that the server has answered before this one, of all conversations. */
  index: number
  /** The body as it came. */
  body: Record<string, unknown>
}

export type TurnMessage = {
  role: 'system' | 'user' | 'assistant' | 'tool'
  text: string
  calls: { id: string; name: string; args: unknown }[]
  /** Of a tool's message. */
  toolName?: string
  callId?: string
}

/** Takes the wire into its own hands; `hostile.ts` has the list. */
export type Behaviour = { behaviour: string; play(exchange: Exchange): Promise<void> }

export type TurnSource = Turn | Behaviour | TurnFunction
export type TurnFunction = (request: TurnRequest) => Turn | Behaviour | Promise<Turn | Behaviour>

export type Script = (request: TurnRequest) => Promise<Turn | Behaviour | 'script ended'>

/** Plays a list by the number of the call; after it the last turn again, or the error `script ended`. */
export function createScript(turns: TurnSource | TurnSource[] = { text: 'OK' }, after: AfterLast = 'repeat') {
  const list = Array.isArray(turns) ? turns : [turns]
  const script: Script = async (request) => {
    const turn = list[request.index] ?? (after === 'repeat' ? list.at(-1) : undefined)
    if (turn === undefined) return 'script ended'
    return typeof turn === 'function' ? turn(request) : turn
  }
  return script
}

export type AfterLast = 'repeat' | 'error'

/** Plays its list by the number of answers in the conversation, for a server that serves many. */
export function byRound(turns: (Turn | TurnFunction)[]): TurnFunction {
  return (request) => {
    const turn = turns[request.round] ?? turns.at(-1) ?? {}
    return typeof turn === 'function' ? turn(request) : turn
  }
}

export function usageOf(turn: Turn, request: Pick<TurnRequest, 'body'>): TurnUsage {
  const output = (turn.text ?? '') + (turn.thinking ?? '') + JSON.stringify(turn.calls ?? [])
  return {
    inputTokens: Math.ceil(JSON.stringify(request.body).length / 4),
    outputTokens: Math.ceil(output.length / 4),
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    ...turn.usage,
  }
}
