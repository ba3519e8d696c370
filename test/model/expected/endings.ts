import { at, isOpen, later, say, type Expected, type Task, type Window } from './state.ts'

export const leaseMs = 10_000
const maxLosses = 10

/** The end of the open run of a task, when whoever ends it is not the run itself. */
export function endRun(expected: Expected, task: Task, ending: string): void {
  const run = task.run === null ? undefined : expected.runs[task.run]
  if (run === undefined || run.ending !== null) return
  run.ending = ending
  run.phase = null
}

export function end(task: Task, state: 'done' | 'dead' | 'cancelled', ending: string): void {
  task.state = state
  task.ending = ending
  task.phase = null
  task.place = null
}

/** Back to its old place, or to its end when that happened too often. */
export function giveBack(task: Task, window: Window, why: { lost: boolean; delayMs: number }): void {
  if (why.lost && task.losses + 1 >= maxLosses) return die(task, 'lost')
  if (task.place === null) throw new Error('a task without a place cannot be given back')
  task.state = 'queued'
  task.phase = null
  task.worker = null
  task.losses += why.lost ? 1 : 0
  task.place = { ...task.place, lease: null, notBefore: later(window, why.delayMs) }
  say(task, 'task.requeued', { epoch: task.epoch })
}

export function die(task: Task, ending: string): void {
  end(task, 'dead', ending)
  task.epoch += 1
  say(task, 'task.dead', { ending })
}

export function enqueue(task: Task, window: Window): void {
  task.state = 'queued'
  task.place = { enqueued: later(window, 0), notBefore: null, lease: null }
}

/** Queues what waited for this task only. */
export function release(expected: Expected, done: number, window: Window): void {
  for (const task of expected.tasks) {
    if (task.state !== 'waiting' || !task.needs.includes(done) || isOpen(expected, task)) continue
    say(task, 'task.released')
    enqueue(task, window)
  }
}

/** What the engine must find in the queue to let this worker write under this epoch. */
export function holds(
  expected: Expected,
  ws: number,
  lease: { task: number; epoch: number },
  worker: number,
): boolean {
  const task = at(expected.tasks, lease.task)
  return task.ws === ws && task.epoch === lease.epoch && task.place?.lease?.worker === worker
}

export function renewed(task: Task, window: Window): void {
  if (task.place?.lease) task.place.lease.expires = later(window, leaseMs)
}
