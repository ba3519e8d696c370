import { setTimeout as sleep } from 'node:timers/promises'
import type { PracticeScript, PracticeTurn } from './practice-script.ts'
import type { Model, ModelEnd, ModelEvent, ModelMessage, ModelRequest, Usage } from './model.ts'

/** What it says about itself in every answer, so that nobody takes its words for thought. */
const label = '[practice] '
const pieceChars = 24

/**
 * The practice model: plays the turns of a script, the same each time, without a network and without a thought. It is
 * for showing and testing everything around a model. Which turn comes is counted from the answers in the conversation, so
 * that a run which goes on behind another's last step goes on in the script, too.
 */
export function createPracticeModel(script: PracticeScript, contextTokens = 32_768): Model {
  return {
    name: 'practice',
    provider: 'practice',
    contextTokens,
    async *ask(request: ModelRequest): AsyncIterable<ModelEvent> {
      const turn = script.turns[answersIn(request.messages)] ?? { say: 'The script has no more turns.' }
      const usage = estimate(request.messages, turn)
      const over = async () => {
        try {
          await sleep(turn.waitMs ?? 0, undefined, { signal: request.signal })
          return request.signal.aborted
        } catch {
          return true
        }
      }
      if (await over()) return yield aborted(usage)
      if (turn.fail !== undefined) {
        const failure = { class: turn.fail, message: `${label}The script says that it fails here.` }
        return yield { type: 'end', end: { ok: false, failure, usage } }
      }
      const text = turn.say === undefined ? '' : `${label}${turn.say}`
      for (let at = 0; at < text.length; at += pieceChars) {
        if (request.signal.aborted) return yield aborted(usage)
        yield { type: 'text', text: text.slice(at, at + pieceChars) }
      }
      yield { type: 'end', end: answer(text, turn, request.messages, usage) }
    },
  }
}

function answer(text: string, turn: PracticeTurn, messages: ModelMessage[], usage: Usage): ModelEnd {
  const at = answersIn(messages)
  const calls = (turn.calls ?? []).map(({ tool, args }, n) => ({
    id: `practice_${at}_${n}`,
    name: tool,
    args,
  }))
  return { ok: true, text, calls, usage, why: 'stop' }
}

function answersIn(messages: ModelMessage[]): number {
  return messages.filter(({ role }) => role === 'assistant').length
}

function aborted(usage: Usage): ModelEvent {
  return { type: 'end', end: { ok: false, failure: { class: 'aborted', message: 'It was stopped.' }, usage } }
}

// As English and code are written: three and a half characters to a token.
const charsPerToken = 3.5

function estimate(messages: ModelMessage[], turn: PracticeTurn): Usage {
  const tokens = (value: unknown) => Math.ceil(JSON.stringify(value).length / charsPerToken)
  const zero = { cacheReadTokens: 0, cacheWriteTokens: 0, estimated: true }
  return { inputTokens: tokens(messages), outputTokens: tokens(turn), ...zero }
}
