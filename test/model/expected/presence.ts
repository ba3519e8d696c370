import type { Operation } from '../operations.ts'
import { at, isPast, later, type Expected, type Window } from './state.ts'

const freshMs = 15_000

/** Whether a worker that says hello is let in. */
export function connected(
  expected: Expected,
  { hub, worker: index, copy, slots, wall }: Extract<Operation, { do: 'hello' }>,
  window: Window,
): boolean {
  const worker = at(expected.workers, index)
  const instance = copy ? `copy of ${worker.name}` : worker.name
  const isTaken = worker.hub !== null && worker.instance !== null && worker.instance !== instance
  if (isTaken && worker.seen !== null && !isPast(later(worker.seen, freshMs), window)) return false
  Object.assign(worker, { hub, instance, seen: later(window, 0) })
  worker.lines[hub] = { slots, wall, frozen: false, unanswered: 0 }
  worker.events.push('worker.connected')
  return true
}

export function left(expected: Expected, hub: number, index: number): void {
  const worker = at(expected.workers, index)
  if (!worker.lines[hub]) return
  worker.lines[hub] = null
  if (worker.hub !== hub) return
  worker.hub = null
  worker.events.push('worker.disconnected')
}

/** A hub looks who is there: who did not answer twice, or is elsewhere by now, is dropped; the others are seen. */
export function present(expected: Expected, hub: number, window: Window): void {
  for (const [index, worker] of expected.workers.entries()) {
    const line = worker.lines[hub]
    if (!line) continue
    const isDropped = line.unanswered >= 2 || worker.hub !== hub
    line.unanswered = line.frozen ? line.unanswered + 1 : 0
    if (worker.hub === hub) worker.seen = later(window, 0)
    if (isDropped) left(expected, hub, index)
  }
}
