import { estimateRequest, tokensOfLength } from '../context/tokens.ts'
import type { ModelEnd, ModelEvent, ModelRequest, ToolCall, Usage } from '../model.ts'
import { coerce } from '../rescue/coerce.ts'
import { createRescue } from '../rescue/rescue.ts'
import { createThinkSplit } from '../rescue/think-tags.ts'
import { KnownFailure } from './faults.ts'
import { readCall } from './read-call.ts'
import type { WireCounts, WirePart } from './wire.ts'

type Finish = Extract<WirePart, { type: 'finish' }>

/** Gathers the parts of one answer. */
export function createAnswer(request: ModelRequest) {
  const text: string[] = []
  const calls: ToolCall[] = []
  const ids = new Set<string>()
  const thoughts = createThinkSplit()
  const rescue = createRescue(request)
  const schemas = new Map(request.tools.map(({ name, parameters }) => [name, parameters]))
  /** Characters of everything the model wrote, shown or not: what an estimate of the output goes by. */
  let written = 0
  let begun = false
  let moved = false
  let finish: Finish | undefined

  const wrote = (length: number) => {
    written += length
    moved = length > 0
    begun ||= moved
  }
  const say = (more: { thinking: string; text: string }): ModelEvent[] => {
    const shown = rescue.push(more.text)
    text.push(shown)
    return [...delta('thinking', more.thinking), ...delta('text', shown)]
  }
  const take = (part: WirePart): ModelEvent[] => {
    moved = false
    switch (part.type) {
      case 'text':
        wrote(part.text.length)
        return say(thoughts.push(part.text))
      case 'thinking':
        wrote(part.text.length)
        return delta('thinking', part.text)
      case 'call': {
        const call = readCall(part, ids)
        calls.push(call)
        wrote(call.name.length + JSON.stringify(part.args ?? '').length)
        return []
      }
      case 'alive':
        wrote(1)
        return []
      case 'finish':
        finish = part
        return []
    }
  }
  /** What was held back, once it is known that nothing follows. */
  const rest = (): ModelEvent[] => {
    const events = say(thoughts.end())
    const left = rescue.end(calls.length > 0)
    text.push(left.text)
    calls.push(...left.calls)
    return [...events, ...delta('text', left.text)]
  }

  const usage = (counts: WireCounts): Usage => {
    const input = count(counts.input)
    const output = count(counts.output)
    return {
      inputTokens: input ?? estimateRequest(request.messages, request.tools),
      outputTokens: output ?? tokensOfLength(written),
      cacheReadTokens: count(counts.cacheRead) ?? 0,
      cacheWriteTokens: count(counts.cacheWrite) ?? 0,
      estimated: input === undefined || output === undefined,
    }
  }

  const fitted = (call: ToolCall): ToolCall => ({
    ...call,
    args: coerce(call.args, schemas.get(call.name)) as ToolCall['args'],
  })

  return {
    take,
    rest,
    /** Whether the server has begun to answer. */
    begun: () => begun,
    /** Whether the last part was progress. */
    moved: () => moved,
    /** What a call that failed has cost: nothing before the first word, an estimate after it. */
    spent: (): Usage =>
      begun
        ? usage({})
        : { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, estimated: false },
    end(): ModelEnd {
      if (!finish) throw new Error('an answer without a finish has no end')
      if (finish.why === 'refused') throw new KnownFailure('refused', `It declines: ${text.join('')}`)
      return {
        ok: true,
        text: text.join(''),
        calls: calls.map(fitted),
        usage: usage(finish.counts),
        why: finish.why,
      }
    },
  }
}

const delta = (type: 'text' | 'thinking', text: string): ModelEvent[] => (text === '' ? [] : [{ type, text }])

/** A number that a server sent, if it can be a count of tokens. */
const count = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isSafeInteger(value) && value >= 0 && value < 1e9 ? value : undefined
