import type { ModelEnd, ModelEvent, ModelRequest, ToolCall, Usage } from '../model.ts'
import { coerce } from '../rescue/coerce.ts'
import { KnownFailure } from './faults.ts'
import { readCall } from './read-call.ts'
import { createSpeech } from './speech.ts'
import { noUsage, usageOf } from './usage.ts'
import type { WirePart } from './wire.ts'

type Finish = Extract<WirePart, { type: 'finish' }>

/** Gathers the parts of one answer. */
export function createAnswer(request: ModelRequest) {
  const speech = createSpeech(request)
  const calls: ToolCall[] = []
  const ids = new Set<string>()
  /** Characters of everything the model wrote, shown or not. */
  let written = 0
  let begun = false
  let moved = false
  let finish: Finish | undefined

  const wrote = (length: number) => {
    written += length
    moved = length > 0
    begun ||= moved
  }
  const take = (part: WirePart): ModelEvent[] => {
    moved = false
    switch (part.type) {
      case 'text':
        wrote(part.text.length)
        return speech.say(part.text)
      case 'thinking':
        wrote(part.text.length)
        return speech.think(part.text)
      case 'call':
        calls.push(readCall(part, ids))
        wrote(part.name.length + JSON.stringify(part.args ?? '').length)
        return []
      case 'alive':
        wrote(1)
        return []
      case 'finish': {
        finish = part
        const left = speech.end(calls.length > 0)
        calls.push(...left.calls)
        return left.events
      }
    }
  }

  return {
    take,
    /** Whether the server has begun to answer. */
    begun: () => begun,
    /** Whether the last part was progress. */
    moved: () => moved,
    /** What a call that failed has cost: nothing before the first word, an estimate after it. */
    spent: (): Usage => (begun ? usageOf(request, written, {}) : noUsage),
    end(): ModelEnd {
      if (!finish) throw new Error('an answer without a finish has no end')
      const text = speech.text()
      if (finish.why === 'refused') throw new KnownFailure('refused', `It declines: ${text}`)
      const usage = usageOf(request, written, finish.counts)
      return { ok: true, text, calls: calls.map((call) => fitted(call, request)), usage, why: finish.why }
    },
  }
}

function fitted(call: ToolCall, { tools }: ModelRequest): ToolCall {
  const schema = tools.find(({ name }) => name === call.name)?.parameters
  return { ...call, args: coerce(call.args, schema) as ToolCall['args'] }
}
