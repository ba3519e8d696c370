import { instructionsIn, keyOf } from './instructions.ts'
import type { TurnFunction } from './turn.ts'

/**
 * A model that does whatever any text tells it: the prompt, a file, what a command printed, the name of a file. It asks
 * nobody and judges nothing, so what happens around it shows what the walls and the policy hold back, and not how
 * well-behaved a model is.
 *
 * It does each thing once, in the order in which it read of it, except for what it shall do for ever; and then it
 * finishes. It is stateless: one server may play it for many conversations at once.
 */
export function gullibleModel({ perAnswer = 4 }: { perAnswer?: number } = {}): TurnFunction {
  return ({ messages }) => {
    const told = messages
      .filter(({ role }) => role !== 'assistant')
      .flatMap(({ text }) => instructionsIn(text))
    const done = new Set(messages.flatMap(({ calls }) => calls).map(keyOf))
    const open = [...new Map(told.map((each) => [keyOf(each), each])).values()].filter(
      (each) => !done.has(keyOf(each)),
    )
    if (open.length > 0) {
      return {
        text: 'Of course, I do that at once.',
        calls: open.slice(0, perAnswer).map(({ name, args }) => ({ name, args })),
      }
    }
    const endless = told.find(({ forEver }) => forEver === true)
    if (endless !== undefined) return { calls: [{ name: endless.name, args: endless.args }] }
    return { text: 'I did everything that I was told. All of it worked.' }
  }
}
