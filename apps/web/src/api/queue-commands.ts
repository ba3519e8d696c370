import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { BulkResult } from '@muster/contract/queue'
import { randomKey } from '../ui/random-key.ts'
import { client } from './client.ts'

/** What a person does with the queue, with many dead tasks at once, and with a worker. */

export function useQueueVerb(verb: 'pauseQueue' | 'resumeQueue' | 'stopQueue') {
  const refresh = useRefresh('queue', 'tasks', 'workers')
  return useMutation({
    mutationFn: () => client.call(verb, { body: {}, idempotencyKey: randomKey() }),
    onSettled: refresh,
  })
}

/** Goes on until nothing fits any more. What is refused fits again, so a round that changed nothing is the last. */
export function useDeadVerb(verb: 'retryTasks' | 'deleteTasks') {
  const refresh = useRefresh('queue', 'tasks')
  return useMutation({
    mutationFn: async ({ repo }: { repo?: string | undefined }) => {
      const body = repo === undefined ? {} : { repo }
      let changed = 0
      for (;;) {
        const last: BulkResult = await client.call(verb, { body, idempotencyKey: randomKey() })
        changed += last.changed.length
        if (!last.more || last.changed.length === 0) return { changed, refused: last.refused }
      }
    },
    onSettled: refresh,
  })
}

export function useWorkerVerb(verb: 'cordonWorker' | 'stopWorker', worker: string) {
  const refresh = useRefresh('workers', 'tasks', 'queue')
  return useMutation({
    mutationFn: (reason: string) => {
      const body = reason.trim() === '' ? {} : { reason: reason.trim() }
      return client.call(verb, { params: { worker }, body, idempotencyKey: randomKey() })
    },
    onSettled: refresh,
  })
}

export function useUncordon(worker: string) {
  const refresh = useRefresh('workers')
  return useMutation({
    mutationFn: () =>
      client.call('uncordonWorker', { params: { worker }, body: {}, idempotencyKey: randomKey() }),
    onSettled: refresh,
  })
}

export function useRestart(worker: string) {
  const refresh = useRefresh('workers')
  return useMutation({
    mutationFn: () =>
      client.call('restartWorker', { params: { worker }, body: {}, idempotencyKey: randomKey() }),
    onSettled: refresh,
  })
}

/** Also after a refusal: then the page showed an older state than the hub has. */
function useRefresh(...subjects: string[]) {
  const cache = useQueryClient()
  return () => Promise.all(subjects.map((subject) => cache.invalidateQueries({ queryKey: [subject] })))
}
