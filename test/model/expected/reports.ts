import type { Seen } from '../engine/engine.ts'
import { commitOf, type Holding, type Lease, type Message, type Operation } from '../operations.ts'
import {
  end,
  endRun,
  failed,
  giveBack,
  holds,
  leaseMs,
  progressed,
  release,
  renewed,
  takenUp,
} from './endings.ts'
import { at, isPast, later, Mismatch, say, type Expected, type Run, type Task, type Window } from './state.ts'

type Said = Extract<Operation, { do: 'say' }>
const refusedDelayMs = 5_000

/** What a worker says about one run. Answers the code it must get. */
export function said(expected: Expected, { worker, lease, message }: Said, window: Window): string {
  const { ws } = at(expected.workers, worker)
  if (message.type === 'finish') return finish(expected, { ws, worker }, lease, message, window)
  if (!holds(expected, ws, lease, worker)) return 'stale_epoch'
  const task = at(expected.tasks, lease.task)
  const run = at(expected.runs, task.run ?? -1)
  switch (message.type) {
    case 'accept':
      if (task.place?.lease) task.place.lease.accepted = true
      renewed(task, window)
      progressed(task, window)
      say(task, 'task.accepted', { epoch: lease.epoch })
      return 'ok'
    case 'refuse':
      giveBack(task, window, {
        lost: message.code !== 'sandbox_unavailable',
        delayMs: message.code === 'run_lost' ? 0 : refusedDelayMs,
      })
      endRun(expected, task, message.code === 'run_lost' ? 'lost' : 'refused')
      return 'ok'
    case 'wake':
      if (task.place?.lease?.accepted === false) task.place.lease.assigned = later(window, 0)
      if (message.state === 'woken') say(task, 'task.woken', { epoch: lease.epoch })
      return 'ok'
    case 'phase':
      task.state = message.phase
      task.phase = message.phase
      run.phase = message.phase
      progressed(task, window)
      say(task, 'task.phase', { phase: message.phase, epoch: lease.epoch })
      return 'ok'
    case 'output':
      if (!run.output.includes(message.batch)) run.output.push(message.batch)
      progressed(task, window)
      return 'ok'
    case 'progress': {
      const last = task.place?.lease?.progress
      if (last !== undefined && isPast(later(last, leaseMs / 3), window)) progressed(task, window)
      return 'ok'
    }
    case 'publish':
      if (message.branch === 'foreign') return 'protocol_violation'
      run.commit = commitOf(lease.run, message.commit)
      run.branch = message.branch
      say(task, 'run.publish_granted', { epoch: lease.epoch })
      return 'ok'
  }
}

type Finishing = Extract<Message, { type: 'finish' }>

function resultOf(lease: Lease, { as, commit }: Finishing) {
  const carries = as === 'verified' || as === 'unproven' || as === 'partial_pass'
  return {
    ending: as === 'unproven' ? 'verified' : as,
    commit: carries ? commitOf(lease.run, commit) : null,
    branch: carries ? (as === 'partial_pass' ? 'kept' : 'proven') : null,
  }
}

type Speaker = { ws: number; worker: number }

function finish(expected: Expected, by: Speaker, lease: Lease, message: Finishing, window: Window): string {
  const isHeld = holds(expected, by.ws, lease, by.worker)
  const task = at(expected.tasks, lease.task)
  const run = at(expected.runs, lease.run)
  const isOurs = run.task === lease.task && run.epoch === lease.epoch && run.worker === by.worker
  const isEnd = message.as !== 'lost' && message.as !== 'cancelled'
  // Finished after all, and nobody newer: the lease is taken up again for it.
  const isLate = isOurs && !isHeld && isEnd && run.ending === 'lost' && isFree(task, lease.epoch)
  if (!isHeld && !isLate) return stale(expected, by.ws, lease, message)
  if (!isOurs) return 'protocol_violation'
  const result = resultOf(lease, message)
  if (message.as === 'unproven') return 'protocol_violation'
  const isGranted = run.commit === result.commit && run.branch === 'proven'
  if (message.as === 'verified' && !isGranted) return 'protocol_violation'
  if (isLate) takenUp(task, by.worker, window)
  if (!isEnd) giveBack(task, window, { lost: true, delayMs: 0 })
  else if (message.as === 'verified') done(expected, lease, result, window)
  else {
    const { branch, commit } = task
    failed(task, window, { ending: result.ending, raiseEpoch: false })
    if (task.state === 'dead')
      Object.assign(task, { branch: result.branch ?? branch, commit: result.commit ?? commit })
  }
  close(run, result)
  return 'ok'
}

const isFree = (task: Task, epoch: number) =>
  task.place !== null && task.place.lease === null && task.epoch === epoch

function done(expected: Expected, lease: Lease, result: ReturnType<typeof resultOf>, window: Window): void {
  const task = at(expected.tasks, lease.task)
  end(task, 'done', result.ending)
  Object.assign(task, { branch: result.branch, commit: result.commit, evidence: result.commit })
  say(task, 'task.done', { epoch: lease.epoch, ending: result.ending })
  release(expected, lease.task, window)
}

function close(run: Run, result: { ending: string; commit: string | null; branch: string | null }): void {
  Object.assign(run, result, { phase: null })
}

/** The very finish that is recorded is answered yes; any other leaves a trace and nothing else. */
function stale(expected: Expected, ws: number, lease: Lease, message: Finishing): string {
  const run = at(expected.runs, lease.run)
  const result = resultOf(lease, message)
  const isVisible = at(expected.tasks, run.task).ws === ws
  const isRecorded =
    isVisible &&
    run.task === lease.task &&
    run.epoch === lease.epoch &&
    run.ending === result.ending &&
    run.commit === result.commit
  if (isRecorded) return 'ok'
  say(at(expected.tasks, lease.task), 'run.refused_stale', { epoch: lease.epoch, ending: result.ending })
  return 'stale_epoch'
}

export function renew(
  expected: Expected,
  { worker, leases }: { worker: number; leases: Lease[] },
  seen: Seen,
  window: Window,
): string {
  const { ws } = at(expected.workers, worker)
  const lost = leases.filter((lease) => !holds(expected, ws, lease, worker))
  for (const lease of leases) if (!lost.includes(lease)) renewed(at(expected.tasks, lease.task), window)
  if (seen.code === 'ok') {
    const wanted = lost.map((lease) => `${at(expected.tasks, lease.task).id} ${lease.epoch}`)
    const got = (seen.lost ?? []).map((lease) => `${lease.taskId} ${lease.epoch}`)
    if (wanted.join() !== got.join())
      throw new Mismatch(`renew answered lost [${got}], expected [${wanted}] (I-3)`)
  }
  return 'ok'
}

/** What a worker that comes (back) must do with each run that it still holds. */
export function decided(expected: Expected, worker: number, holding: Holding[], window: Window): string[] {
  const { ws } = at(expected.workers, worker)
  return holding.map((held) => {
    const task = at(expected.tasks, held.task)
    if (!holds(expected, ws, held, worker)) return held.phase === 'finished' ? 'continue' : 'abort'
    if (held.phase !== 'lost') {
      renewed(task, window)
      return 'continue'
    }
    giveBack(task, window, { lost: true, delayMs: 0 })
    endRun(expected, task, 'lost')
    return 'abort'
  })
}
