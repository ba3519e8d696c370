import { estimateRequest, tokensOfLength } from '../context/tokens.ts'
import type { ModelEnd, ModelEvent, ModelRequest, ToolCall, Usage } from '../model.ts'
import { KnownFailure } from './faults.ts'
import { readCall } from './read-call.ts'
import type { WireCounts, WirePart } from './wire.ts'

type Finish = Extract<WirePart, { type: 'finish' }>

/** Gathers the parts of one answer. */
export function createAnswer(request: ModelRequest) {
  const text: string[] = []
  const calls: ToolCall[] = []
  const ids = new Set<string>()
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
  const take = (part: WirePart): ModelEvent | undefined => {
    moved = false
    switch (part.type) {
      case 'text':
      case 'thinking': {
        wrote(part.text.length)
        if (part.text === '') return undefined
        if (part.type === 'text') text.push(part.text)
        return { type: part.type, text: part.text }
      }
      case 'call': {
        const call = readCall(part, ids)
        calls.push(call)
        wrote(call.name.length + JSON.stringify(part.args ?? '').length)
        return undefined
      }
      case 'alive': {
        wrote(1)
        return undefined
      }
      case 'finish': {
        finish = part
        return undefined
      }
    }
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

  return {
    take,
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
      return { ok: true, text: text.join(''), calls, usage: usage(finish.counts), why: finish.why }
    },
  }
}

/** A number that a server sent, if it can be a count of tokens. */
const count = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isSafeInteger(value) && value >= 0 && value < 1e9 ? value : undefined
