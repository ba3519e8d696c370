import type { QueryClient } from '@tanstack/react-query'
import type { Event } from '@muster/contract/events'
import { followLive } from '@muster/sdk/live'
import { client } from './client.ts'
import { createRefresher } from './refresher.ts'

export type LiveState = 'connecting' | 'open' | 'waiting'

const everything = '*'

/** Keeps the cache true to the hub's events until the returned function is called. */
export function keepLive(cache: QueryClient, onState: (state: LiveState) => void): () => void {
  const refresher = createRefresher((stale) => refresh(cache, stale))
  // What was read before the subscription stood may be older than the first event after it.
  let behind = true
  const stop = followLive({
    origin: client.origin,
    onState: (state) => {
      if (state === 'waiting') {
        behind = true
        // The socket does not say why it was refused; asking who we are finds out whether we are signed out.
        void cache.invalidateQueries({ queryKey: ['me'] })
      }
      onState(state)
    },
    onMessage: (message) => {
      if (message.type === 'event') refresher.mark(...staleBy(message.event))
      if (message.type === 'caught_up' && behind) {
        behind = false
        refresher.mark(everything)
      }
    },
  })
  return () => {
    stop()
    refresher.stop()
  }
}

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

async function refresh(cache: QueryClient, stale: ReadonlySet<string>): Promise<void> {
  await cache.invalidateQueries({
    predicate: ({ queryKey: [subject, short] }) => {
      if (subject === 'me') return false
      if (stale.has(everything) || stale.has(String(subject))) return true
      return subject === 'task' && stale.has(`task:${String(short).slice(-8)}`)
    },
  })
}
