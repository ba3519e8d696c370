import type { Event } from '@muster/contract/events'

/** Names of what an event makes stale: a task's short id, or the first word of a query key. */
export function staleBy(event: Pick<Event, 'kind' | 'taskId'>): string[] {
  const subject = event.kind.slice(0, event.kind.indexOf('.'))
  if (subject === 'task' || subject === 'run') {
    const own = event.taskId === null ? [] : [`task:${event.taskId.slice(-8)}`]
    return ['tasks', 'workers', ...own]
  }
  if (subject === 'worker') return ['workers']
  if (subject === 'repo') return ['repos']
  return subject === 'token' ? ['tokens'] : []
}
