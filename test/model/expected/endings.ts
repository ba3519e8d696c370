import { at, isOpen, later, say, type Expected, type Task, type Time, type Window } from './state.ts'

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
export function giveBack(
  task: Task,
  window: Window,
  why: { lost: boolean; delayMs: number; raiseEpoch?: boolean },
): void {
  if (why.lost && task.losses + 1 >= maxLosses) return die(task, { ending: 'lost', raiseEpoch: true })
  task.losses += why.lost ? 1 : 0
  say(task, 'task.requeued', { epoch: task.epoch })
  queueAgain(task, later(window, why.delayMs), why.raiseEpoch === true)
}

function queueAgain(task: Task, notBefore: Time, raiseEpoch: boolean): void {
  if (task.place === null) throw new Error('a task without a place cannot be given back')
  task.state = 'queued'
  task.phase = null
  task.worker = null
  task.place = { ...task.place, lease: null, notBefore }
  task.epoch += raiseEpoch ? 1 : 0
}

const retryable = ['execution_failed', 'timed_out', 'stalled']
const firstDelayMs = 2_000

/** A run failed: once more, later each time, while the task has tries left. */
export function failed(task: Task, window: Window, how: { ending: string; raiseEpoch: boolean }): void {
  if (!retryable.includes(how.ending) || task.failures >= task.retries) return die(task, how)
  task.failures += 1
  const delayMs = firstDelayMs * 4 ** (task.failures - 1)
  say(task, 'task.retrying', { epoch: task.epoch, ending: how.ending })
  // Up to a quarter more, so that what failed together does not come back together.
  const notBefore = { from: window.from + delayMs, to: window.to + delayMs * 1.25 }
  queueAgain(task, notBefore, how.raiseEpoch)
}

function die(task: Task, { ending, raiseEpoch }: { ending: string; raiseEpoch: boolean }): void {
  say(task, 'task.dead', { epoch: task.epoch, ending })
  end(task, 'dead', ending)
  task.epoch += raiseEpoch ? 1 : 0
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

export function progressed(task: Task, window: Window): void {
  if (task.place?.lease) task.place.lease.progress = later(window, 0)
}

/** A result came late and nobody newer has the task: as if its lease had not been given up. */
export function takenUp(task: Task, worker: number, window: Window): void {
  if (task.place === null) throw new Error('a task without a place cannot be taken up')
  task.state = 'verifying'
  task.worker = worker
  task.place.lease = {
    worker,
    assigned: later(window, 0),
    accepted: true,
    expires: later(window, leaseMs),
    deadline: null,
    progress: later(window, 0),
  }
  say(task, 'task.late_result', { epoch: task.epoch })
}
