import type { EventKind } from '@muster/contract/events'
import type { BulkResult, Queue, TaskSelection } from '@muster/contract/queue'
import { isTerminal, lanes } from '@muster/contract/task-states'
import type { Task } from '@muster/contract/tasks'
import type { Worker } from '@muster/contract/workers'

/** What of the fake hub this part of it works on. */
type Hub = {
  tasks: Task[]
  paused: boolean
  stubborn: Set<string>
  event(kind: EventKind, task: Task | null): void
  change(task: Task, part: Partial<Task>, kind: EventKind): void
}

const held = ['assigned', 'running', 'verifying']

/** The queue as the tasks of the fake hub make it. */
export function queueOf({ tasks, paused }: Hub): Queue {
  const queued = tasks.filter(({ state }) => state === 'queued')
  const oldest = queued
    .map(({ createdAt }) => Date.now() - Date.parse(createdAt))
    .toSorted((a, b) => b - a)[0]
  return {
    paused,
    running: tasks.filter(({ state }) => held.includes(state)).length,
    maxRunning: 20,
    waiting: queued.length,
    maxWaiting: 100_000,
    byLane: lanes.map((lane) => ({ lane, waiting: queued.filter((task) => task.lane === lane).length })),
    oldestWaitMs: oldest === undefined ? null : Math.round(oldest),
    dead: tasks.filter(({ state }) => state === 'dead').length,
  }
}

export function queueVerb(hub: Hub, name: 'pauseQueue' | 'resumeQueue' | 'stopQueue') {
  hub.paused = name !== 'resumeQueue'
  hub.event(hub.paused ? 'queue.paused' : 'queue.resumed', null)
  return name === 'stopQueue' ? requeue(hub, () => true) : queueOf(hub)
}

export function workerVerb(
  hub: Hub,
  verb: 'cordonWorker' | 'uncordonWorker' | 'stopWorker' | 'restartWorker',
  worker: Worker,
  { reason = 'Cordoned by owner.' }: { reason?: string },
): Worker | { requeued: number; told: number } {
  if (verb === 'restartWorker') worker.restarting = true
  else worker.cordoned = verb === 'uncordonWorker' ? null : reason
  hub.event(verb === 'restartWorker' ? 'worker.restarting' : 'worker.cordoned', null)
  if (verb !== 'stopWorker') return worker
  worker.busy = 0
  return requeue(hub, (on) => on === worker.name)
}

function requeue(hub: Hub, which: (worker: string | null) => boolean) {
  const stopped = hub.tasks.filter(({ state, worker }) => held.includes(state) && which(worker))
  const reason = 'Stopped by owner.'
  for (const task of stopped) {
    hub.change(task, { state: 'queued', phase: null, worker: null, reason }, 'task.requeued')
  }
  return { requeued: stopped.length, told: 1 }
}

/** At most three in one answer, so that a page that asks only once is found out. */
export function inBulk(
  hub: Hub,
  verb: 'retryTasks' | 'deleteTasks',
  { repo, ids }: TaskSelection,
): BulkResult {
  const fits = hub.tasks.filter(
    (task) =>
      isTerminal(task.state) &&
      (ids?.includes(task.id) ?? (task.state === 'dead' && (repo === undefined || task.repo === repo))),
  )
  const result: BulkResult = { changed: [], refused: [], more: fits.length > 3 }
  for (const task of fits.slice(0, 3)) {
    if (hub.stubborn.has(task.id)) {
      const message = 'Other tasks name this one in "after".'
      result.refused.push({ id: task.id, code: 'has_dependents', message })
      continue
    }
    result.changed.push(task.id)
    if (verb === 'deleteTasks') hub.tasks = hub.tasks.filter((each) => each !== task)
    hub.change(
      task,
      { state: 'queued', ending: null, reason: null, endedAt: null },
      verb === 'deleteTasks' ? 'task.deleted' : 'task.retried',
    )
  }
  return result
}
