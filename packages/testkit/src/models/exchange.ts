import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ScriptedCall, Surface, Turn, TurnEnd, TurnRequest, TurnUsage } from './turn.ts'

/** How one answer looks on a wire. It keeps the state of its stream, so each answer has its own. */
export type Wire = {
  surface: Surface
  /** Content type of a stream. */
  streamType: string
  /** What comes before the first delta. */
  start(usage: TurnUsage): string
  thinking(delta: string): string
  text(delta: string): string
  /** Each item is one piece of the stream. */
  calls(calls: ScriptedCall[]): string[]
  /** What says that the answer is whole. */
  end(end: { why: TurnEnd; calls: boolean; usage: TurnUsage }): string
  /** An error after the first byte. */
  streamError(message: string): string
  whole(turn: Turn, usage: TurnUsage): string
  /** The body of a refusal. */
  error(status: number, message: string): string
}

/** One request that a behaviour answers by hand. */
export type Exchange = {
  request: TurnRequest
  stream: boolean
  wire: Wire
  response: ServerResponse
  /** The connection, for what HTTP would not let through. */
  socket: Socket
  /** Fires when the connection is gone. */
  gone: AbortSignal
  stopListening(): void
  /** An address that nobody may contact. */
  canaryUrl: string
}
