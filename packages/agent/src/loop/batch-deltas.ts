export type Delta = { channel: 'text' | 'thinking'; text: string }

/**
 * Gathers what a model says into windows of 100 ms (EXEC-03): a model of a hundred tokens per second is ten messages per
 * second. A change of channel ends a window early, so that what is shown stays in order.
 */
export function batchDeltas(emit: (delta: Delta) => void, windowMs = 100) {
  let held: Delta | undefined
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    const delta = held
    held = undefined
    if (delta !== undefined) emit(delta)
  }

  return {
    push(delta: Delta): void {
      if (delta.text === '') return
      if (held !== undefined && held.channel !== delta.channel) flush()
      held = { channel: delta.channel, text: (held?.text ?? '') + delta.text }
      timer ??= setTimeout(flush, windowMs)
    },
    /** Before anything that must not overtake what was said. */
    flush,
  }
}
