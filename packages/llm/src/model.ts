/**
 * One way to ask a language model, whatever serves it.
 *
 * The contract, kept by every provider and checked by `conformance.ts`:
 * - `ask` never throws and its stream never rejects: whatever happens is the last event, `end`, of which there is
 *   exactly one, and nothing follows it;
 * - an answer is `ok` only when the server said that it was complete. A stream that stops without that is `cut_off`;
 * - text and thinking are deltas and come as the server sends them; tool calls are whole and come in the end;
 * - a tool call that the model wrote as text is rescued into `calls`, and its `rescued` says from which dialect; it is
 *   then no part of `text`;
 * - aborting `signal` ends the stream within a second with the class `aborted`, and the connection is closed;
 * - a server that is silent longer than `silenceMs` is `unavailable` before the first event and `cut_off` after it;
 * - usage is what the server counted. Where it counts nothing, it is an estimate and `estimated` says so.
 */
export interface Model {
  readonly name: string
  readonly provider: ModelProvider
  /** Tokens that prompt and answer may have together. */
  readonly contextTokens: number
  ask(request: ModelRequest): AsyncIterable<ModelEvent>
  /** How many of its tokens one estimated token is, learnt from what its server counted; 1 where nothing is known. */
  scale?(): number
}

/** `practice` plays a script and never pretends to think. */
export type ModelProvider = 'ollama' | 'openai' | 'anthropic' | 'practice'

export type ModelRequest = {
  messages: ModelMessage[]
  tools: ToolSpec[]
  /** The longest answer; the provider's own limit when absent. */
  maxOutputTokens?: number
  temperature?: number
  seed?: number
  /** The answer must be JSON of this schema; servers that cannot are asked in words. */
  json?: JsonSchema
  /** No event for this long ends the call; 120 s when absent (LOOP-04). */
  silenceMs?: number
  /** Which call of its conversation this is, from 0. `practice` plays by it; where absent it counts the answers. */
  turn?: number
  signal: AbortSignal
}

export type JsonSchema = { [key: string]: unknown }

export type ToolSpec = { name: string; description: string; parameters: JsonSchema }

export type ModelMessage =
  | { role: 'system'; text: string }
  /** `keep`: may not be left out to make room. */
  | { role: 'user'; text: string; keep?: boolean | undefined }
  | { role: 'assistant'; text: string; calls: ToolCall[] }
  | { role: 'tool'; callId: string; name: string; text: string }

export type ToolCall = {
  id: string
  name: string
  args: Record<string, unknown>
  /** The dialect that the call was written in, when the model did not call natively. */
  rescued?: RescueDialect | undefined
  /** Why the arguments could not be read; then `args` is empty and the model must be told. */
  malformed?: string | undefined
}

export type RescueDialect = 'tool_call_json' | 'function_xml' | 'fenced_json' | 'bare_json'

export type Usage = {
  inputTokens: number
  outputTokens: number
  /** Of the input, what the server read from its cache. */
  cacheReadTokens: number
  cacheWriteTokens: number
  estimated: boolean
}

export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'thinking'; text: string }
  | { type: 'end'; end: ModelEnd }

export type ModelEnd =
  | {
      ok: true
      text: string
      calls: ToolCall[]
      usage: Usage
      /** `length`: the answer was cut at its limit and is not whole. */
      why: 'stop' | 'length'
    }
  | { ok: false; failure: ModelFailure; usage: Usage }

export type ModelFailure = {
  class: FailureClass
  /** For a person: what the server said, without secrets, at most 500 characters. */
  message: string
  /** HTTP status, if it came to one. */
  status?: number
  /** With `quota`: when it may be asked again, if the server said so. */
  resetAt?: Date
}

export type FailureClass =
  /** Nobody answers at this address, or the server is broken. */
  | 'unavailable'
  /** It is there and has no room now; the same request may work in a moment. */
  | 'busy'
  /** A limit of the account is used up until `resetAt`. */
  | 'quota'
  /** It would be refused again: unknown model, no tools, too long a prompt, a bad key. */
  | 'invalid_request'
  /** It began to answer and did not end. */
  | 'cut_off'
  /** The model or its filter declines to answer. */
  | 'refused'
  /** The caller's signal. */
  | 'aborted'
