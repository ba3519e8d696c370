import type { ModelMessage } from '../model.ts'

/**
 * Messages that belong together: an answer and the results of its calls, or one other message. A result without its call,
 * or a call without its result, is refused by most servers, so a turn is kept or left out as a whole.
 */
export type Turn = {
  messages: ModelMessage[]
  /** The system, the task, and what must not be left out. */
  isPinned: boolean
}

export function turnsOf(messages: readonly ModelMessage[]): Turn[] {
  const turns: Turn[] = []
  const task = messages.findIndex(({ role }) => role === 'user')
  for (const [at, message] of messages.entries()) {
    const last = turns.at(-1)
    if (message.role === 'tool' && last?.messages[0]?.role === 'assistant') last.messages.push(message)
    else turns.push({ messages: [message], isPinned: at === task || isPinned(message) })
  }
  return turns
}

const isPinned = (message: ModelMessage): boolean =>
  message.role === 'system' || (message.role === 'user' && message.keep === true)
