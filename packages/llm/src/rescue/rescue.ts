import type { ModelMessage, ToolCall, ToolSpec } from '../model.ts'
import { newCallId } from '../providers/read-call.ts'
import type { Reading, WrittenCall } from './block.ts'
import { isEcho } from './echo.ts'
import { beginning, step } from './scan.ts'

export type RescueRequest = {
  tools: ToolSpec[]
  /** What users and tools said: the same words in the answer are a quotation. */
  messages: ModelMessage[]
  /** The answer is to be JSON. */
  json?: unknown
}

/** Half a second. A call of a megabyte, held back while it comes, takes a tenth of this. */
const maxEffort = 64 * 2 ** 20
const maxBlanks = 1000

/**
 * Finds the calls that a model wrote as text while the text arrives. `push` answers what can be shown: everything but
 * what may become a call. `scan.ts` has the rule for what is one.
 */
export function createRescue({ tools, messages, json }: RescueRequest) {
  const offered = new Set(tools.map(({ name }) => name))
  const effort = { left: maxEffort }
  const reading = (final: boolean): Reading => ({ offered, final, jsonIsData: json !== undefined, effort })
  let place = beginning
  let held = ''
  let calls: WrittenCall[] = []
  /** Blanks before a call are no part of the text; they wait for what comes. */
  let blanks = ''
  /** A long block that is not yet whole is looked at again only when it has grown by a fifth. */
  let lookAt = 0

  function advance(final: boolean): string {
    if (offered.size === 0) return take(held.length)
    if (!final && held.length < lookAt) return ''
    let free = ''
    for (;;) {
      const result = step(held, place, reading(final))
      place = result.place
      calls = result.calls ?? []
      free += take(result.free)
      if (result.waits) break
    }
    lookAt = held.length < 256 ? 0 : held.length * 1.2
    return free
  }
  function take(length: number): string {
    const taken = held.slice(0, length)
    held = held.slice(length)
    return taken
  }
  function shown(free: string): string {
    if (offered.size === 0) return free
    const text = blanks + free
    const kept = text.length - free.length > maxBlanks ? text : text.trimEnd()
    blanks = text.slice(kept.length)
    return kept
  }

  return {
    push(text: string): string {
      held += text
      return shown(advance(false))
    },
    /** What is left to show, and the calls that were written. Of an answer that called natively, there are none. */
    end(calledNatively = false): { text: string; calls: ToolCall[] } {
      const free = advance(true)
      const isCall = calls.length > 0 && !calledNatively && !calls.some((call) => isEcho(call, messages))
      if (isCall) return { text: shown(free), calls: calls.map(toCall) }
      return { text: blanks + free + held, calls: [] }
    },
  }
}

const toCall = ({ dialect, name, args, malformed }: WrittenCall): ToolCall => ({
  id: newCallId(),
  name,
  args,
  rescued: dialect,
  ...(malformed !== undefined && { malformed }),
})
