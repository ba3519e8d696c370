import type { Query, QueryClient } from '@tanstack/react-query'
import { followLive } from '@muster/sdk/live'
import { client } from './client.ts'
import { createRefresher } from './refresher.ts'
import { staleBy } from './stale-by.ts'

export type LiveState = 'connecting' | 'open' | 'waiting'

const everything = '*'

/** Keeps the cache true to the hub's events until the returned function is called. */
export function keepLive(cache: QueryClient, onState: (state: LiveState) => void): () => void {
  const refresher = createRefresher((stale) => refresh(cache, stale))
  // What was read before a subscription stood may be older than the first event after it, and what could not be
  // read while the hub was away is read now.
  let behind = true
  const stop = followLive({
    origin: client.origin,
    onState: (state) => {
      if (state === 'waiting') {
        behind = true
        // The socket does not say why it was refused; asking who we are finds out whether we are signed out.
        void cache.invalidateQueries({ queryKey: ['me'] })
      }
      if (state === 'open' && behind) {
        behind = false
        refresher.mark(everything)
      }
      onState(state)
    },
    onMessage: (message) => {
      if (message.type === 'event') refresher.mark(...staleBy(message.event))
      if (message.type === 'caught_up') refresher.mark(everything)
    },
  })
  return () => {
    stop()
    refresher.stop()
  }
}

async function refresh(cache: QueryClient, stale: ReadonlySet<string>): Promise<void> {
  const predicate = ({ queryKey: [subject, short] }: Query) => {
    if (subject === 'me') return false
    if (stale.has(everything) || stale.has(String(subject))) return true
    return subject === 'task' && stale.has(`task:${String(short).slice(-8)}`)
  }
  // A refetch would abort what is on its way, and with it the page of older tasks that somebody asked for.
  const underWay = cache.getQueryCache().findAll({ predicate, fetchStatus: 'fetching' })
  await Promise.allSettled(underWay.map((query) => query.promise))
  await cache.invalidateQueries({ predicate })
}
