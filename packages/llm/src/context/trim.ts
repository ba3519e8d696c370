import type { ModelMessage } from '../model.ts'

/**
 * A text of at most `most` characters: its beginning and its end, with a mark between them that says how much is gone. A
 * text that fits is left alone, so trimming twice is the same as once.
 */
export function trimText(text: string, most: number): string {
  if (text.length <= most) return text
  // The number is as long as that of the whole at most.
  const room = Math.max(0, most - mark(text.length).length)
  const head = wholeEnd(text, Math.ceil(room * 0.6))
  const tail = wholeStart(text, text.length - (room - head))
  return text.slice(0, head) + mark(tail - head) + text.slice(tail)
}

const mark = (count: number): string => `\n… ${count} characters left out …\n`

/** The results of tools are what grows; what people and the model said is not touched. */
export function trimResults(messages: ModelMessage[], most: number): ModelMessage[] {
  return messages.map((message) =>
    message.role === 'tool' && message.text.length > most
      ? { ...message, text: trimText(message.text, most) }
      : message,
  )
}

/** No character that takes two places is cut in half. */
const wholeEnd = (text: string, at: number): number => (isMiddle(text, at) ? at - 1 : at)
const wholeStart = (text: string, at: number): number => (isMiddle(text, at) ? at + 1 : at)

function isMiddle(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1)
  const after = text.charCodeAt(at)
  return before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff
}
