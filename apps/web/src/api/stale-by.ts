import type { Event, EventKind } from '@muster/contract/events'

/** Names of what an event makes stale: a task's short id, or the first word of a query key. */
export function staleBy(event: Pick<Event, 'kind' | 'taskId'>): string[] {
  const subject = event.kind.slice(0, event.kind.indexOf('.'))
  if (subject === 'task' || subject === 'run') {
    const own = event.taskId === null ? [] : [`task:${event.taskId.slice(-8)}`]
    // A step moves nothing but the page of its own task.
    if (event.kind === 'run.step') return own
    // A phase moves nothing in the queue, and counting a long one is not for nothing.
    return ['tasks', 'workers', ...own, ...(event.kind === 'task.phase' ? [] : ['queue'])]
  }
  // Why a task waits follows from these, so every task that is looked at is read again.
  if (subject === 'queue') return ['queue', 'task']
  if (subject === 'repo') return ['repos', 'task']
  if (subject === 'worker') return isChatter(event.kind) ? ['workers'] : ['workers', 'task']
  if (subject === 'endpoint' || subject === 'model') return ['models', 'task']
  return subject === 'token' ? ['tokens'] : []
}

/** What comes with every task that a worker takes, and keeps no task waiting. */
function isChatter(kind: EventKind): boolean {
  return kind === 'worker.state_changed' || kind === 'worker.status_changed'
}
