import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { TaskCreateInput } from '@muster/contract/tasks'
import { randomKey } from '../ui/random-key.ts'
import { client } from './client.ts'

/** Everything a person can change from the page; what changed is refreshed here, not left to the live events. */

export function useTaskVerb(verb: 'cancelTask' | 'retryTask', short: string) {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: () => client.call(verb, { params: { task: short }, body: {}, idempotencyKey: randomKey() }),
    onSuccess: (task) => {
      cache.setQueryData(['task', short, 'task'], task)
      void cache.invalidateQueries({ queryKey: ['tasks'] })
      return cache.invalidateQueries({ queryKey: ['task', short] })
    },
    // A refusal means that the page showed an older state than the hub has.
    onError: () => cache.invalidateQueries({ queryKey: ['task', short] }),
  })
}

export function useCreateTask() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: ({ body, idempotencyKey }: { body: TaskCreateInput; idempotencyKey: string }) =>
      client.call('createTask', { body, idempotencyKey }),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['tasks'] }),
  })
}

export function useAddRepo() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: (body: { name: string; url: string }) =>
      client.call('addRepo', { body, idempotencyKey: randomKey() }),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['repos'] }),
  })
}

export function useCreateToken() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: (body: { name: string; kind: 'person' | 'worker' }) =>
      client.call('createToken', { body, idempotencyKey: randomKey() }),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['tokens'] }),
  })
}

export function useRevokeToken() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => client.call('revokeToken', { params: { id } }),
    onSettled: () => cache.invalidateQueries({ queryKey: ['tokens'] }),
  })
}

export function useSignIn() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: (body: { link: string } | { password: string }) => client.call('signIn', { body }),
    onSuccess: (me) => {
      cache.clear()
      cache.setQueryData(['me'], me)
    },
  })
}

export function useSetPassword() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: (body: { current?: string; password: string }) =>
      client.call('setPassword', { body, idempotencyKey: randomKey() }),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['me'] }),
  })
}

export function useSignOut() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: () => client.call('signOut', { body: {}, idempotencyKey: randomKey() }),
    onSuccess: () => cache.clear(),
  })
}
