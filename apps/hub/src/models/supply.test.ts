import { expect, test } from 'vitest'
import type { Host } from './candidates.ts'
import { hostOf } from './candidates.ts'
import type { Candidate } from './route.ts'
import { noSupply, placeable, routeTask, type Asking, type Supply } from './supply.ts'

const host = (workerId: string, besideHub = false): Host => ({
  workerId,
  host: workerId,
  besideHub,
  resources: null,
})
const candidate = (changes: Partial<Candidate> = {}): Candidate => ({
  endpointId: 'e',
  endpoint: 'ollama',
  kind: 'ollama',
  url: 'http://box:11434',
  cloud: false,
  health: 'healthy',
  stateMs: 60_000,
  error: null,
  paused: false,
  running: 0,
  limit: 4,
  model: 'qwen3:8b',
  tier: 'standard',
  contextTokens: null,
  capabilities: ['tools'],
  billions: 8,
  warm: false,
  host: null,
  onlyWorkerId: null,
  price: 0,
  besideHub: false,
  ...changes,
})
const supplyOf = (candidates: Candidate[], more: Partial<Supply> = {}): Supply => ({
  ...noSupply,
  candidates,
  hosts: [host('local', true), host('far')],
  waitMs: 5_000,
  ...more,
})
const asking: Asking = { tier: 'standard', waitedMs: 0, repoId: 'r' }
const now = { running: new Map<string, number>(), affinity: new Set<string>() }
const who = (supply: Supply, workers = ['local', 'far'], more: Partial<Asking> = {}) => {
  const answer = routeTask(supply, { ...asking, ...more }, workers, now)
  return 'waitingFor' in answer ? answer.waitingFor : answer.workerIds.join()
}

const beside = candidate({ url: 'http://127.0.0.1:11434', besideHub: true })
const own = candidate({ url: 'http://127.0.0.1:11434', endpoint: 'far', onlyWorkerId: 'far' })
const cloud = candidate({ endpoint: 'openai', kind: 'openai', url: 'https://api.openai.com/v1', cloud: true })

test.each<[string, Supply, string]>([
  ['at an address of the network is reached by everybody', supplyOf([candidate()]), 'local,far'],
  ['beside the hub is reached by the worker beside it', supplyOf([beside]), 'local'],
  ['of a worker is reached by this worker', supplyOf([own]), 'far'],
  [
    'in the cloud is reached through the gateway by everybody',
    supplyOf([cloud], { cloudAllowed: true, gatewayUrl: 'http://hub/v1' }),
    'local,far',
  ],
  [
    'of a worker, for a model that its server passes on, is reached by this worker',
    supplyOf([{ ...own, cloud: true }], { cloudAllowed: true, gatewayUrl: '/' }),
    'far',
  ],
])('an endpoint %s', (_, supply, workers) => {
  expect(who(supply)).toBe(workers)
})

test('a worker that does not reach it is not given it, and what is waited for says so', () => {
  expect(who(supplyOf([beside]), ['far'])).toBe('a worker that reaches ollama (http://127.0.0.1:11434)')
  expect(who(supplyOf([own]), ['local'])).toBe('a worker that reaches far (http://127.0.0.1:11434)')
  expect(who(supplyOf([cloud], { cloudAllowed: true }))).toMatch(/gateway/)
})

test('with a gateway the others reach what is beside the hub too, and the one beside it comes first', () => {
  const supply = supplyOf([beside], { gatewayUrl: 'http://hub/v1' })
  expect(who(supply)).toBe('local')
  expect(routeTask(supply, asking, ['far'], now)).toMatchObject({
    workerIds: ['far'],
    model: { via: 'gateway', url: 'http://hub/v1' },
  })
})

test('the model of a run names its server, its window bounded on a machine of one’s own, and its cost', () => {
  const answer = routeTask(supplyOf([candidate({ contextTokens: 131_072 })]), asking, ['local'], now)
  expect(answer).toMatchObject({
    model: {
      name: 'qwen3:8b',
      provider: 'ollama',
      endpoint: 'ollama',
      url: 'http://box:11434',
      via: 'direct',
      contextTokens: 32_768,
      costClass: 'local',
    },
    routing: { wanted: 'standard', tier: 'standard', fallback: null },
    endpointId: 'e',
  })
})

test('what a worker could be given is what routing would choose for it, now and after the wait', () => {
  const supply = supplyOf([
    candidate(),
    candidate({
      endpointId: 'f',
      endpoint: 'far',
      onlyWorkerId: 'far',
      model: 'big:latest',
      tier: 'complex',
    }),
  ])
  expect(placeable(supply, 'local', now)).toEqual({
    tiers: ['standard'],
    lateTiers: ['trivial', 'standard', 'complex'],
    models: ['qwen3:8b'],
  })
  expect(placeable(supply, 'far', now)).toEqual({
    tiers: ['standard', 'complex'],
    lateTiers: ['trivial', 'standard', 'complex'],
    models: ['qwen3:8b', 'big:latest', 'big'],
  })
  const full = { running: new Map([['e', 4]]) }
  expect(placeable(supply, 'local', full)).toEqual({ tiers: [], lateTiers: [], models: [] })
})

test.each([
  ['the worker of "up"', 'elsewhere', { kind: 'up' as const }, true],
  ['one on a machine of the same name', 'Hub-Box (linux x64, 8 cores)', null, true],
  ['one on another machine', 'box-2 (linux x64, 8 cores)', { kind: 'join' as const }, false],
  ['one that says no name', null, null, false],
])('%s is beside the hub: %s', (_, name, supervisor, besideHub) => {
  expect(hostOf({ id: 'w', host: name, supervisor, resources: null }, 'hub-box').besideHub).toBe(besideHub)
})
