import type { Stored, StoredEvent, StoredTask } from './engine/stored.ts'

const leased = ['assigned', 'running', 'verifying']
const inQueue = ['queued', ...leased]
const terminal = ['done', 'dead', 'cancelled']
const ends = ['task.done', 'task.dead', 'task.cancelled']
const maxLosses = 10

/**
 * What must hold of everything that is stored, at any instant between operations, whatever happened before: the invariants of
 * the platform, read from the rows alone. Answers what is broken, each with the number of its invariant.
 */
export function violations(
  stored: Stored,
  acknowledged: ReadonlySet<string>,
  bounds: { maxRunning: number },
): string[] {
  const broken: string[] = []
  const mustBe = (holds: boolean, invariant: string, what: string) => {
    if (!holds) broken.push(`${invariant} ${what}`)
  }
  const ids = new Set(stored.tasks.map((task) => task.id))
  for (const id of acknowledged) mustBe(ids.has(id), 'I-1', `acknowledged task ${id} is gone`)
  mustBe(
    stored.queue.every((place) => ids.has(place.task)),
    'I-1',
    'a place in the queue belongs to no task',
  )
  mustBe(
    stored.keys.every((key) => key.task !== null && ids.has(key.task)),
    'I-6',
    'a key is stored without its answer',
  )
  const known = (id: string | null) => id === null || ids.has(id)
  mustBe(
    stored.events.every((event) => known(event.task)),
    'I-5',
    'an event tells of a task that is not there',
  )
  for (const ws of new Set(stored.queue.map((place) => place.ws))) {
    const running = stored.queue.filter((place) => place.ws === ws && place.worker !== null).length
    mustBe(running <= bounds.maxRunning, 'I-16', `${running} tasks of a workspace run at once`)
  }
  for (const task of stored.tasks) {
    const name = `${task.id.slice(-4)} (${task.state})`
    const say = (holds: boolean, invariant: string, what: string) =>
      mustBe(holds, invariant, `${name}: ${what}`)
    placeOf(stored, task, say)
    parentsOf(stored, task, say)
    historyOf(stored, task, say)
    tenancyOf(stored, task, say)
    say(task.losses < maxLosses || task.state === 'dead', 'I-16', `lost ${task.losses} times`)
  }
  return broken
}

type Say = (holds: boolean, invariant: string, what: string) => void

function placeOf(stored: Stored, task: StoredTask, say: Say): void {
  const places = stored.queue.filter((place) => place.task === task.id)
  say(
    places.length === (inQueue.includes(task.state) ? 1 : 0),
    'I-1',
    `has ${places.length} places in the queue`,
  )
  const [place] = places
  const isLeased = leased.includes(task.state)
  say(!isLeased || place?.worker != null, 'I-4', 'has no lease')
  if (place === undefined) return
  say(isLeased === (place.worker !== null), 'I-4', 'its place and its state disagree whether it is leased')
  say(place.epoch === task.epoch, 'I-3', `has epoch ${task.epoch}, and ${place.epoch} in the queue`)
  say(!isLeased || place.worker === task.worker, 'I-4', 'is leased to another worker than it says')
  const isComplete = [place.assigned, place.expires, place.progress].every(
    (time) => (time !== null) === isLeased,
  )
  say(isComplete, 'I-4', 'its lease lacks a time or left one behind')
}

function parentsOf(stored: Stored, task: StoredTask, say: Say): void {
  const needs = stored.needs.filter((each) => each.task === task.id)
  const open = needs.filter(
    (each) => stored.tasks.find((parent) => parent.id === each.needs)?.state !== 'done',
  )
  say(open.length === 0 || !inQueue.includes(task.state), 'I-14', 'may start although a parent is not done')
  say(task.state !== 'waiting' || open.length > 0, 'I-1', 'waits for nobody')
  say(
    needs.every((each) => each.needs < task.id),
    'I-14',
    'waits for a later task',
  )
}

/** Folds the events of a task, in the order in which readers get them. */
function historyOf(stored: Stored, task: StoredTask, say: Say): void {
  const events = stored.events.filter((event) => event.task === task.id && event.ws === task.ws)
  const folded = fold(events.toSorted((a, b) => a.place - b.place))
  for (const wrong of folded.wrong) say(false, wrong.slice(0, 3), wrong.slice(4))
  say(folded.state === task.state, 'I-5', `its events tell ${folded.state}`)
  say(
    folded.attempt === task.attempt,
    'I-5',
    `made ${task.attempt} attempts, its events tell ${folded.attempt}`,
  )
  say(folded.epoch <= task.epoch, 'I-3', `has epoch ${task.epoch}, an event names ${folded.epoch}`)
  say(
    !leased.includes(task.state) || folded.epoch === task.epoch,
    'I-3',
    `runs under epoch ${task.epoch}, assigned ${folded.epoch}`,
  )
  say(
    !leased.includes(task.state) || folded.worker === task.worker,
    'I-5',
    'runs elsewhere than its events tell',
  )
  const evidence = stored.evidence.filter((each) => each.task === task.id)
  say(evidence.length === (task.state === 'done' ? 1 : 0), 'I-2', `has ${evidence.length} rows of evidence`)
  say(
    evidence.every((each) => each.run === task.run && each.commit === task.commit),
    'I-2',
    'its evidence is of another run',
  )
  const runs = stored.runs.filter((run) => run.task === task.id)
  say(runs.length === task.attempt, 'I-5', `has ${runs.length} runs after ${task.attempt} attempts`)
  const open = runs.filter((run) => run.ending === null)
  say(open.length === (leased.includes(task.state) ? 1 : 0), 'I-4', `has ${open.length} open runs`)
  say(
    open.every((run) => run.epoch === task.epoch && run.worker === task.worker),
    'I-3',
    'an open run is not its newest',
  )
}

type Fold = {
  state: string
  epoch: number
  attempt: number
  worker: string | null
  isEnded: boolean
  wrong: string[]
}

function fold(events: StoredEvent[]): Fold {
  const now: Fold = { state: 'none', epoch: 0, attempt: 0, worker: null, isEnded: false, wrong: [] }
  for (const { kind, data } of events) {
    const epoch = typeof data['epoch'] === 'number' ? data['epoch'] : null
    if (kind === 'run.refused_stale') continue
    if (epoch !== null && epoch < now.epoch)
      now.wrong.push(`I-3 ${kind} of epoch ${epoch} after epoch ${now.epoch}`)
    if (kind === 'task.assigned' && epoch !== null && epoch <= now.epoch)
      now.wrong.push(`I-3 epoch ${epoch} was given twice`)
    if (epoch !== null) now.epoch = Math.max(now.epoch, epoch)
    if (now.isEnded && kind !== 'task.retried') now.wrong.push(`I-2 ${kind} after the end`)
    if (kind === 'task.created' || kind === 'task.retried') now.state = String(data['state'])
    if (['task.released', 'task.requeued', 'task.retrying'].includes(kind)) now.state = 'queued'
    if (kind === 'task.assigned') {
      if (now.state !== 'queued') now.wrong.push(`I-2 assigned while it was ${now.state}`)
      now.state = 'assigned'
      now.attempt += 1
      now.worker = String(data['workerId'])
    }
    if (kind === 'task.late_result') {
      if (now.state !== 'queued') now.wrong.push(`I-3 a late result was taken while it was ${now.state}`)
      now.state = 'verifying'
      now.worker = String(data['workerId'])
    }
    if (kind === 'task.phase')
      now.state = ['verifying', 'publishing'].includes(String(data['phase'])) ? 'verifying' : 'running'
    if (ends.includes(kind)) now.state = kind.slice('task.'.length)
    now.isEnded = terminal.includes(now.state)
  }
  return now
}

/** Everything about a task is in its workspace. */
function tenancyOf(stored: Stored, task: StoredTask, say: Say): void {
  const own = (id: string | null) =>
    id === null || stored.workers.some((worker) => worker.id === id && worker.ws === task.ws)
  const about = [...stored.queue, ...stored.runs, ...stored.evidence, ...stored.output, ...stored.needs]
  say(
    about.every((row) => row.task !== task.id || row.ws === task.ws),
    'I-10',
    'a row about it is in another workspace',
  )
  say(own(task.worker), 'I-10', 'is with a worker of another workspace')
  const runs = stored.runs.filter((run) => run.task === task.id)
  say(
    runs.every((run) => own(run.worker)),
    'I-10',
    'was run by a worker of another workspace',
  )
}

/**
 * What may have come between two instants: output and grants are written by the current run only, and what ended for good
 * stays as it is.
 */
export function stepViolations(before: Stored, after: Stored): string[] {
  const broken: string[] = []
  for (const row of after.output.slice(before.output.length)) {
    const task = before.tasks.find((each) => each.id === row.task)
    const run = after.runs.find((each) => each.id === row.run)
    if (task === undefined || run === undefined || run.epoch < task.epoch || terminal.includes(task.state)) {
      broken.push(`I-3 output of a run that is not the newest of task ${row.task.slice(-4)}`)
    }
  }
  for (const was of before.tasks) {
    const is = after.tasks.find((each) => each.id === was.id)
    if (was.state === 'done' && JSON.stringify(is) !== JSON.stringify(was))
      broken.push(`I-2 the done task ${was.id.slice(-4)} changed`)
    if (is !== undefined && is.epoch < was.epoch)
      broken.push(`I-3 the epoch of ${was.id.slice(-4)} went back to ${is.epoch}`)
  }
  return broken
}
