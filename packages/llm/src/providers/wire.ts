import type { ModelRequest } from '../model.ts'

/** What a provider reads off its wire. The frame around it (`ask.ts`) makes an answer of it, or a failure. */
export type WirePart =
  | { type: 'text'; text: string }
  | { type: 'thinking'; text: string }
  /** A whole native call. `args` is as it came: an object, or a string that should be JSON. */
  | { type: 'call'; id?: string; name: string; args: unknown }
  /** A piece of something that is not yet whole: the server is not silent. */
  | { type: 'alive' }
  /** The server said that the answer is complete. Nothing is read after it. */
  | { type: 'finish'; why: 'stop' | 'length' | 'refused'; counts: WireCounts }

/** What the server counted; what it left out is estimated. */
export type WireCounts = { input?: number; output?: number; cacheRead?: number; cacheWrite?: number }

/**
 * One request over one connection. It may throw anything at any time, and an end without `finish` is an answer that was
 * cut off. When `signal` aborts, the connection is closed.
 */
export type Wire = (request: ModelRequest, signal: AbortSignal) => AsyncIterable<WirePart>
