import type { ModelMessage } from '@muster/llm/model'
import { firstState, freshAttempt, noUsage, type LoopState } from './state.ts'

/** What a loop goes on from: the conversation, and what was counted while it came about. */
export type Progress = { messages: ModelMessage[]; state: LoopState }

export function begin(system: string, task: string): Progress {
  const messages: ModelMessage[] = [
    { role: 'system', text: system },
    { role: 'user', text: task, keep: true },
  ]
  return { messages, state: firstState }
}

/** From what an earlier run recorded with its last step. It may ask another model, which has failed nothing yet. */
export function goOn(messages: ModelMessage[], stored: Record<string, unknown>): Progress {
  return {
    messages,
    state: { ...storedState(stored), recorded: messages.length, failures: 0, shrunk: 0, tokenScale: 1 },
  }
}

/** After failed checks: guards begin anew but for what costs, tokens, money and time, which adds up (VERIF-04). */
export function tryAgain({ messages, state }: Progress, corrective: string): Progress {
  // Only the last one is worth its room.
  const older = messages.map((message, at) =>
    message.role === 'user' && message.keep === true && at > 1 ? { ...message, keep: false } : message,
  )
  return {
    messages: [...older, { role: 'user', text: corrective, keep: true }],
    state: { ...state, ...freshAttempt, fixes: state.fixes + 1 },
  }
}

/** A state of perhaps another version: what is missing or of another kind is as at the beginning. */
function storedState(stored: Record<string, unknown>): LoopState {
  const entries = Object.entries(firstState).map(([name, first]) => {
    const value = stored[name]
    if (first === null || typeof first === 'number') return [name, isCount(value) ? value : first]
    if (typeof first === 'string') return [name, typeof value === 'string' ? value : first]
    if (Array.isArray(first)) return [name, Array.isArray(value) ? value.filter(isText) : first]
    return [name, typeof value === 'object' && value !== null ? storedUsage(value) : first]
  })
  return Object.fromEntries(entries) as LoopState
}

function storedUsage(value: object): LoopState['usage'] {
  const counts = Object.entries(value).filter(([name, count]) => name in noUsage && isCount(count))
  return {
    ...noUsage,
    ...Object.fromEntries(counts),
    estimated: 'estimated' in value && value.estimated === true,
  }
}

const isCount = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0
const isText = (value: unknown) => typeof value === 'string'
