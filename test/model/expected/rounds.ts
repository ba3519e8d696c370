import { maxRunning, type Sent } from '../engine/engine.ts'
import type { Stored } from '../engine/stored.ts'
import type { Witness } from './apply.ts'
import { endRun, failed, giveBack, leaseMs } from './endings.ts'
import { at, isPast, later, Mismatch, say, type Expected, type Line, type Window } from './state.ts'

const acceptMs = 60_000
const deadlineGraceMs = 20_000
const noProgressMs = 20 * 60_000

/**
 * A round of assignment. Which worker gets which task is the engine's choice and taken from what it stored; whether it was
 * allowed to choose so, and whether it left anything out, is judged. Inside a race only the former: the other operation may
 * have had hold of what was left out.
 */
export function dispatched(
  expected: Expected,
  hub: number,
  { seen, stored, window, before, alone, isOwn }: Witness,
): void {
  if (seen.code === 'ok') tellUntold(expected, hub)
  const known = new Set(expected.runs.map((run) => run.id))
  const fresh = stored.runs.filter((run) => !known.has(run.id) && isOwn(run.id))
  const offers = offersOf(expected, hub)
  // The round looks first who is there: somebody who says hello meanwhile is still offered as before.
  const earlier = alone ? offers : offersOf(before, hub)
  const held = (worker: number) =>
    expected.tasks.filter((task) => task.place?.lease?.worker === worker).length
  const running = (ws: number) =>
    expected.tasks.filter((task) => task.ws === ws && task.place?.lease != null).length
  for (const row of fresh.toSorted((a, b) => a.id.localeCompare(b.id))) {
    const index = expected.tasks.findIndex((task) => task.id === row.task)
    const task = expected.tasks[index]
    if (task === undefined) throw new Mismatch('a task was given away before it was made')
    const worker = expected.workers.findIndex((each) => each.id === row.worker)
    const line = [offers[worker], earlier[worker]]
      .filter((each) => each != null)
      .toSorted((a, b) => b.slots - a.slots)[0]
    const who = `t${index} was given to ${expected.workers[worker]?.name}`
    if (task.state !== 'queued' || task.place === null)
      throw new Mismatch(`${who} while it was ${task.state} (I-2)`)
    if (task.needs.some((need) => expected.tasks[need]?.state !== 'done'))
      throw new Mismatch(`${who} before its parents were done (I-14)`)
    if (task.place.notBefore !== null && !isPast(task.place.notBefore, window))
      throw new Mismatch(`${who} too early`)
    if (!line) throw new Mismatch(`${who}, which is not offered at this hub`)
    if (expected.workers[worker]?.ws !== task.ws) throw new Mismatch(`${who} of another workspace`)
    if (running(task.ws) >= maxRunning) throw new Mismatch(`${who} beside ${maxRunning} others (I-16)`)
    if (held(worker) >= line.slots) throw new Mismatch(`${who}, whose slots were all taken`)
    task.state = 'assigned'
    task.phase = null
    task.epoch += 1
    task.attempt += 1
    task.worker = worker
    task.run = expected.runs.length
    task.place.lease = {
      worker,
      assigned: later(window, 0),
      accepted: false,
      expires: later(window, leaseMs),
      deadline: later(window, task.timeoutMs),
      progress: later(window, 0),
    }
    expected.runs.push({
      id: row.id,
      task: index,
      epoch: task.epoch,
      attempt: task.attempt,
      worker,
      phase: null,
      ending: null,
      commit: null,
      branch: null,
      output: [],
    })
    expected.told.push(assignment(expected, hub, expected.runs.length - 1))
    if (seen.code === 'unknown') expected.untold.push({ hub, run: expected.runs.length - 1 })
    say(task, 'task.assigned', { epoch: task.epoch })
  }
  const isFull = (ws: number) => running(ws) >= maxRunning
  if (alone) nothingLeftOut(expected, offers, held, isFull, new Set(fresh.map((run) => run.task)), window)
}

/** A round begins with what an earlier one could not say: to who is connected, of what has not ended. */
function tellUntold(expected: Expected, hub: number): void {
  expected.untold = expected.untold.filter((each) => {
    const run = at(expected.runs, each.run)
    if (each.hub !== hub) return true
    if (run.ending !== null) return false
    const isHere = expected.workers[run.worker]?.lines[hub] != null
    if (isHere) expected.told.push(assignment(expected, hub, each.run))
    return !isHere
  })
}

function assignment(expected: Expected, hub: number, run: number): string {
  const { id, worker, epoch } = at(expected.runs, run)
  return `hub ${hub} worker ${worker} assign ${id} ${epoch}`
}

/** The lines of this hub whose worker may be given something. */
const offersOf = (expected: Expected, hub: number) =>
  expected.workers.map(({ lines, hub: at }) =>
    at === hub && lines[hub] && isOffered(lines[hub]) ? lines[hub] : null,
  )

const isOffered = (line: Line) => line.wall && line.unanswered < 2

/** Work-conserving and in order: nobody waits beside a free slot, and none was taken before one that stood before it. */
function nothingLeftOut(
  expected: Expected,
  offers: (Line | null)[],
  held: (worker: number) => number,
  isFull: (ws: number) => boolean,
  taken: Set<string>,
  window: Window,
): void {
  for (const [ws] of expected.workers.entries()) {
    const left = expected.tasks.filter(
      (task) =>
        task.ws === ws &&
        task.state === 'queued' &&
        task.place !== null &&
        (task.place.notBefore === null || isPast(task.place.notBefore, window)),
    )
    const first = left[0]
    if (first === undefined) continue
    const free = expected.workers.some(
      (worker, n) => worker.ws === ws && offers[n] && held(n) < offers[n].slots,
    )
    if (free && !isFull(ws))
      throw new Mismatch(`t${expected.tasks.indexOf(first)} was left waiting beside a free slot (I-1)`)
    for (const task of expected.tasks) {
      if (task.ws !== ws || !taken.has(task.id)) continue
      const passed = left.find((other) => isBefore(other, task))
      if (passed)
        throw new Mismatch(
          `t${expected.tasks.indexOf(task)} was taken before t${expected.tasks.indexOf(passed)}`,
        )
    }
  }
}

function isBefore(a: Expected['tasks'][number], b: Expected['tasks'][number]): boolean {
  if (a.lane !== b.lane) return a.lane < b.lane
  return (a.place?.enqueued.to ?? 0) < (b.place?.enqueued.from ?? 0)
}

/**
 * What must have been sent: each new lease and each cancelled one to its worker, once. What was broken off may not have come to
 * it, but never says what is not so.
 */
export function messagesSent(expected: Expected, sent: Sent[], isWhole: boolean): void {
  const { told } = expected
  const got = sent.flatMap(({ hub, worker, message }) => {
    const who = `hub ${hub} worker ${worker} ${message.type}`
    if (message.type === 'assign') return [`${who} ${message.assignment.runId} ${message.assignment.epoch}`]
    return message.type === 'cancel' ? [`${who} ${message.taskId} ${message.epoch}`] : []
  })
  // Of a dispatch that ended in its second round the first one was said.
  expected.untold = expected.untold.filter(({ hub, run }) => !got.includes(assignment(expected, hub, run)))
  const isRight = isWhole
    ? told.toSorted().join() === got.toSorted().join()
    : got.every((each, n) => told.includes(each) && got.indexOf(each) === n)
  if (!isRight) throw new Mismatch(`said to workers [${got.join(', ')}], expected [${told.join(', ')}]`)
}

/** Ends what ran out. Inside a race it may leave alone what the other operation has locked; it comes again. */
export function swept(expected: Expected, window: Window, stored: Stored, options: { alone: boolean }): void {
  for (const task of expected.tasks) {
    const lease = task.place?.lease
    if (!lease) continue
    const cause = whyEnded(lease, window)
    if (cause === null) continue
    const row = stored.queue.find((place) => place.task === task.id)
    const isUntouched = row?.worker != null && row.epoch === task.epoch
    if (isUntouched && !options.alone) continue
    const ending = cause === 'deadline' ? 'timed_out' : cause === 'silence' ? 'stalled' : 'lost'
    if (ending === 'lost') giveBack(task, window, { lost: true, delayMs: 0 })
    else failed(task, window, { ending, raiseEpoch: true })
    endRun(expected, task, ending)
  }
}

function whyEnded(
  lease: NonNullable<NonNullable<Expected['tasks'][number]['place']>['lease']>,
  window: Window,
) {
  if (lease.deadline !== null && isPast(later(lease.deadline, deadlineGraceMs), window)) return 'deadline'
  if (isPast(lease.expires, window)) return 'lease'
  if (!lease.accepted && isPast(later(lease.assigned, acceptMs), window)) return 'acceptance'
  return isPast(later(lease.progress, noProgressMs), window) ? 'silence' : null
}
