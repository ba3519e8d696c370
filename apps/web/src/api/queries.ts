import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { TaskFilter } from '../paths.ts'
import { client } from './client.ts'

/** Every read of the page, with the key that live events refresh it by. */

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => client.call('me', { signal }),
  staleTime: Infinity,
  // Before it is known who is asking there is no live socket that could notice that the hub is back.
  refetchInterval: ({ state }) => (state.status === 'error' && state.data === undefined ? 3_000 : false),
})

export const reposQuery = queryOptions({
  queryKey: ['repos'],
  queryFn: ({ signal }) => client.call('listRepos', { signal }),
})

export const workersQuery = queryOptions({
  queryKey: ['workers'],
  queryFn: ({ signal }) => client.call('listWorkers', { signal }),
})

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: ({ signal }) => client.call('listModels', { signal }),
  // A check that found what the last one found is no event; it is made every 30 s.
  refetchInterval: 30_000,
})

export const queueQuery = queryOptions({
  queryKey: ['queue'],
  queryFn: ({ signal }) => client.call('getQueue', { signal }),
})

export const tokensQuery = queryOptions({
  queryKey: ['tokens'],
  queryFn: ({ signal }) => client.call('listTokens', { signal }),
})

export function tasksQuery(filter: TaskFilter) {
  return infiniteQueryOptions({
    queryKey: ['tasks', filter.state ?? '', filter.repo ?? ''],
    queryFn: ({ signal, pageParam }) =>
      client.call('listTasks', {
        signal,
        query: {
          limit: 50,
          ...(filter.state === undefined ? {} : { state: filter.state }),
          ...(filter.repo === undefined ? {} : { repo: filter.repo }),
          ...(pageParam === null ? {} : { cursor: pageParam }),
        },
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  })
}

// What belongs to one task is keyed by its short id, and each part by its name: an event refreshes all of them.

export function taskQuery(short: string) {
  return queryOptions({
    queryKey: ['task', short, 'task'],
    queryFn: ({ signal }) => client.call('getTask', { signal, params: { task: short } }),
  })
}

export function runsQuery(short: string) {
  return queryOptions({
    queryKey: ['task', short, 'runs'],
    queryFn: ({ signal }) => client.call('taskRuns', { signal, params: { task: short } }),
  })
}

export function stepsQuery(short: string) {
  return queryOptions({
    queryKey: ['task', short, 'steps'],
    queryFn: ({ signal }) =>
      client.call('taskSteps', { signal, params: { task: short }, query: { limit: 500 } }),
  })
}

export function diffQuery(short: string) {
  return queryOptions({
    queryKey: ['task', short, 'diff'],
    queryFn: ({ signal }) => client.call('taskDiff', { signal, params: { task: short } }),
  })
}

export function historyQuery(short: string) {
  return queryOptions({
    queryKey: ['task', short, 'history'],
    queryFn: ({ signal }) => client.call('taskHistory', { signal, params: { task: short } }),
  })
}
