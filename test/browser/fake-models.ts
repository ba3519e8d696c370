import { randomUUID } from 'node:crypto'
import type { Endpoint, EndpointCreate, EndpointModel, ModelList } from '@muster/contract/models'
import type { RouteName } from '@muster/contract/routes'
import type { Tier } from '@muster/contract/task-states'

/** What the fake hub knows of models; a test changes it as it likes. */
export type FakeModels = Pick<ModelList, 'endpoints' | 'missing' | 'cloudAllowed'>

type Verb = Extract<
  RouteName,
  | 'listModels'
  | 'setModelTier'
  | 'allowCloud'
  | 'addEndpoint'
  | 'getEndpoint'
  | 'refreshEndpoint'
  | 'removeEndpoint'
>

/** Undefined where no endpoint has that name. */
export function modelVerb(models: FakeModels, name: Verb, ref: string | undefined, body: unknown): unknown {
  const endpoint = models.endpoints.find((each) => each.name === ref)
  switch (name) {
    case 'addEndpoint': {
      const { name: called, url, kind, limit } = body as EndpointCreate
      const made = anEndpoint({ name: called, url, kind, limit })
      models.endpoints.push(made)
      return made
    }
    case 'getEndpoint':
    case 'refreshEndpoint':
      return endpoint
    case 'removeEndpoint':
      models.endpoints = models.endpoints.filter((each) => each !== endpoint)
      return endpoint && { ok: true }
    case 'allowCloud':
      models.cloudAllowed = (body as { allowed: boolean }).allowed
      return listOf(models)
    case 'setModelTier':
      setTier(models, body as { model: string; tier: Tier | null })
      return listOf(models)
    default:
      return listOf(models)
  }
}

function listOf(models: FakeModels): ModelList {
  return { ...models, items: models.endpoints.flatMap((each) => each.models), nextCursor: null }
}

function setTier({ endpoints }: FakeModels, { model, tier }: { model: string; tier: Tier | null }): void {
  for (const each of endpoints.flatMap(({ models }) => models)) {
    if (each.name === model) Object.assign(each, { tier: tier ?? 'standard', tierByHand: tier !== null })
  }
}

export function anEndpoint(changes: Partial<Endpoint>): Endpoint {
  return {
    id: randomUUID(),
    name: 'ollama',
    kind: 'ollama',
    url: 'http://127.0.0.1:11434',
    source: 'manual',
    worker: null,
    cloud: false,
    limit: 4,
    health: 'healthy',
    failures: 0,
    error: null,
    version: '0.31.0',
    checkedAt: new Date().toISOString(),
    pausedUntil: null,
    createdAt: new Date().toISOString(),
    ...changes,
    models: changes.models ?? [],
  }
}

export function aModel(changes: Partial<EndpointModel>): EndpointModel {
  return {
    name: 'qwen3:8b',
    endpoint: 'ollama',
    tier: 'standard',
    tierByHand: false,
    warm: true,
    cloud: false,
    contextTokens: 40_960,
    capabilities: ['completion', 'tools'],
    parameterSize: '8.2B',
    quantization: 'Q4_K_M',
    vramBytes: null,
    unfit: null,
    seenAt: new Date().toISOString(),
    ...changes,
  }
}
