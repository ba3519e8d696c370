import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { EndpointKind } from '@muster/contract/models'
import type { Tier } from '@muster/contract/task-states'
import { randomKey } from '../ui/random-key.ts'
import { client } from './client.ts'

/** What a person decides about models and where they are served. */

export function useAddEndpoint() {
  return useChange((body: { name: string; url: string; kind: EndpointKind }) =>
    client.call('addEndpoint', { body, idempotencyKey: randomKey() }),
  )
}

export function useEndpointVerb(verb: 'refreshEndpoint' | 'removeEndpoint', endpoint: string) {
  return useChange(async (): Promise<void> => {
    const params = { endpoint }
    if (verb === 'removeEndpoint') await client.call(verb, { params })
    else await client.call(verb, { params, body: {}, idempotencyKey: randomKey() })
  })
}

export function useSetTier(model: string) {
  return useChange((tier: Tier | null) =>
    client.call('setModelTier', { body: { model, tier }, idempotencyKey: randomKey() }),
  )
}

export function useAllowCloud() {
  return useChange((allowed: boolean) =>
    client.call('allowCloud', { body: { allowed }, idempotencyKey: randomKey() }),
  )
}

/** Also after a refusal: then the page showed an older state than the hub has. */
function useChange<Input, Answer>(mutationFn: (input: Input) => Promise<Answer>) {
  const cache = useQueryClient()
  return useMutation({ mutationFn, onSettled: () => cache.invalidateQueries({ queryKey: ['models'] }) })
}
