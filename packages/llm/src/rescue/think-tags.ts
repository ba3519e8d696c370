const opening = '<think>'
const closing = '</think>'

/**
 * Thinking that a server leaves in the text, as some do for models that think first: `<think>…</think>` at the beginning
 * of the answer and nowhere else. What is thought is no answer, so no call is looked for in it.
 */
export function createThinkSplit() {
  let state: 'before' | 'thinking' | 'after' | 'answering' = 'before'
  let held = ''

  function push(text: string, final = false): { thinking: string; text: string } {
    held += text
    if (state === 'before') state = begin(final)
    const thinking = state === 'thinking' ? think(final) : ''
    if (state === 'after') {
      held = held.trimStart()
      if (held !== '') state = 'answering'
    }
    return { thinking, text: state === 'answering' ? take(held.length) : '' }
  }
  function think(final: boolean): string {
    const end = held.indexOf(closing)
    if (end < 0) return take(final ? held.length : held.length - partOfClosing(held))
    const thinking = take(end)
    take(closing.length)
    state = 'after'
    return thinking
  }
  function begin(final: boolean): typeof state {
    const start = held.trimStart()
    if (start.startsWith(opening)) {
      held = start.slice(opening.length)
      return 'thinking'
    }
    return opening.startsWith(start) && held.length < 1000 && !final ? 'before' : 'answering'
  }
  function take(length: number): string {
    const taken = held.slice(0, length)
    held = held.slice(length)
    return taken
  }
  return { push, end: () => push('', true) }
}

/** How many characters at the end of the text may be the beginning of the closing tag. */
function partOfClosing(text: string): number {
  for (let length = Math.min(closing.length - 1, text.length); length > 0; length--) {
    if (closing.startsWith(text.slice(-length))) return length
  }
  return 0
}
