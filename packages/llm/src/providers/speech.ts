import type { ModelEvent, ModelRequest, ToolCall } from '../model.ts'
import { createRescue } from '../rescue/rescue.ts'
import { createThinkSplit } from '../rescue/think-tags.ts'

/** The text of an answer: what of it is thinking, what is a call that was written, and what may be shown when. */
export function createSpeech(request: ModelRequest) {
  const text: string[] = []
  const thoughts = createThinkSplit()
  const rescue = createRescue(request)

  const say = (more: { thinking: string; text: string }): ModelEvent[] => {
    const shown = rescue.push(more.text)
    text.push(shown)
    return [...delta('thinking', more.thinking), ...delta('text', shown)]
  }
  return {
    say: (piece: string) => say(thoughts.push(piece)),
    think: (piece: string) => delta('thinking', piece),
    /** What was held back, once it is known that nothing follows. */
    end(calledNatively: boolean): { events: ModelEvent[]; calls: ToolCall[] } {
      const events = say(thoughts.end())
      const left = rescue.end(calledNatively)
      text.push(left.text)
      return { events: [...events, ...delta('text', left.text)], calls: left.calls }
    },
    /** Exactly what was shown. */
    text: () => text.join(''),
  }
}

const delta = (type: 'text' | 'thinking', text: string): ModelEvent[] => (text === '' ? [] : [{ type, text }])
