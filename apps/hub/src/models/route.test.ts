import { tiers, type Tier } from '@muster/contract/task-states'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseModel, scoreOf, whyUnfit, type Around, type Candidate, type WantedModel } from './route.ts'

const resources = {
  cpuPercent: 29,
  cores: 8,
  ramTotalBytes: 16e9,
  ramFreeBytes: 8e9,
  vramTotalBytes: null,
  vramFreeBytes: null,
}

function candidate(changes: Partial<Candidate> = {}): Candidate {
  return {
    endpointId: changes.endpoint ?? 'box-1',
    endpoint: 'box-1',
    kind: 'ollama',
    url: 'http://box-1:11434',
    cloud: false,
    health: 'healthy',
    stateMs: 60_000,
    error: null,
    paused: false,
    running: 0,
    limit: 4,
    model: 'qwen3:8b',
    tier: 'standard',
    contextTokens: 40_960,
    capabilities: ['completion', 'tools'],
    billions: 8,
    warm: false,
    host: null,
    onlyWorkerId: null,
    price: 0,
    besideHub: false,
    ...changes,
  }
}

const around: Around = {
  waitedMs: 0,
  waitMs: 5_000,
  cloudAllowed: false,
  prefer: [],
  repoAffinity: new Set(),
}
const cloud = { endpoint: 'openai', model: 'gpt-x', tier: 'complex', cloud: true, billions: null } as const
const small = { model: 'llama3.2:3b', tier: 'trivial', billions: 3 } as const
const large = { endpoint: 'box-9', model: 'qwen3:32b', tier: 'complex', billions: 32 } as const

function choose(wanted: WantedModel, all: Candidate[], changes: Partial<Around> = {}) {
  const answer = chooseModel(wanted, all, { ...around, ...changes })
  return 'waitingFor' in answer
    ? answer.waitingFor
    : `${answer.chosen.model} on ${answer.chosen.endpoint}${answer.fallback === null ? '' : ` from ${answer.fallback.from}`}`
}

test.each<[string, WantedModel, Candidate[], Partial<Around>, string | RegExp]>([
  [
    'takes a model of its tier',
    { tier: 'standard' },
    [candidate(small), candidate()],
    {},
    'qwen3:8b on box-1',
  ],
  [
    'takes a warm one',
    { tier: 'standard' },
    [candidate(), candidate({ endpoint: 'box-2', warm: true })],
    {},
    'qwen3:8b on box-2',
  ],
  [
    'takes the machine with more of its processor free',
    { tier: 'standard' },
    [
      candidate({ host: { ...resources, cpuPercent: 90 } }),
      candidate({ endpoint: 'box-2', host: resources }),
    ],
    {},
    'qwen3:8b on box-2',
  ],
  [
    'takes the endpoint that works on the same repository',
    { tier: 'standard' },
    [candidate(), candidate({ endpoint: 'box-2' })],
    { repoAffinity: new Set(['box-2']) },
    'qwen3:8b on box-2',
  ],
  [
    'takes the one with fewer runs of two that are equal',
    { tier: 'standard' },
    [candidate({ running: 1 }), candidate({ endpoint: 'box-2' })],
    {},
    'qwen3:8b on box-2',
  ],
  [
    'takes the larger of two models on one machine',
    { tier: 'standard' },
    [candidate({ model: 'a:4b', billions: 4 }), candidate({ model: 'b:14b', billions: 14 })],
    {},
    'b:14b on box-1',
  ],
  [
    'takes what the settings prefer',
    { tier: 'standard' },
    [candidate({ model: 'a:4b', billions: 4 }), candidate({ model: 'b:14b', billions: 14, warm: true })],
    { prefer: ['a:4b'] },
    'a:4b on box-1',
  ],
  [
    'takes its own machine before one that is paid',
    { tier: 'complex' },
    [candidate(cloud), candidate(large)],
    { cloudAllowed: true },
    'qwen3:32b on box-9',
  ],
  [
    'takes the cloud where that is allowed',
    { tier: 'complex' },
    [candidate(cloud)],
    { cloudAllowed: true },
    'gpt-x on openai',
  ],
  [
    'takes the cheaper of two that are paid',
    { tier: 'complex' },
    [candidate({ ...cloud, model: 'a-dear', price: 90 }), candidate({ ...cloud, model: 'cheap', price: 5 })],
    { cloudAllowed: true },
    'cheap on openai',
  ],
  [
    'does not ask a paid one whose price nobody knows',
    { tier: 'complex' },
    [candidate({ ...cloud, price: null })],
    { cloudAllowed: true },
    'a model for complex tasks; gpt-x on openai: its price is not known ("npx muster cost price set gpt-x INPUT OUTPUT")',
  ],
  [
    'does not leave for the cloud where that is not allowed',
    { tier: 'complex' },
    [candidate(cloud)],
    { waitedMs: 1e9 },
    /complex tasks; gpt-x on openai: tasks may not leave.*model cloud allow/,
  ],
  [
    'waits 5 s before another tier',
    { tier: 'complex' },
    [candidate()],
    { waitedMs: 1_200 },
    'an endpoint with a complex model; another tier is tried in 4 s',
  ],
  [
    'then takes one tier less',
    { tier: 'complex' },
    [candidate()],
    { waitedMs: 5_000 },
    'qwen3:8b on box-1 from complex',
  ],
  [
    'takes one tier more first',
    { tier: 'standard' },
    [candidate(small), candidate(large)],
    { waitedMs: 5_000 },
    'qwen3:32b on box-9 from standard',
  ],
  [
    'never takes two tiers less',
    { tier: 'complex' },
    [candidate(small)],
    { waitedMs: 1e9 },
    /^a model for complex tasks; no endpoint has one/,
  ],
  [
    'never takes two tiers more',
    { tier: 'trivial' },
    [candidate(large)],
    { waitedMs: 1e9 },
    /^a model for trivial tasks; no endpoint has one/,
  ],
  [
    'waits 5 s from the moment at which the last of its tier went away',
    { tier: 'standard' },
    [candidate({ health: 'unhealthy', stateMs: 2_000 }), candidate({ endpoint: 'box-2', ...small })],
    { waitedMs: 1e9 },
    'an endpoint with a standard model; another tier is tried in 3 s',
  ],
  [
    'waits for its turn and for no other tier',
    { tier: 'standard' },
    [candidate({ running: 4 }), candidate(large)],
    { waitedMs: 1e9 },
    'a turn on box-1, which has 4 of at most 4 runs',
  ],
  [
    'takes the model that it names, whatever its tier',
    { tier: 'complex', model: 'llama3.2:3b' },
    [candidate(), candidate(small)],
    {},
    'llama3.2:3b on box-1',
  ],
  [
    'never takes another one than it names',
    { tier: 'standard', model: 'mistral' },
    [candidate()],
    { waitedMs: 1e9 },
    'the model mistral, which no endpoint has; for Ollama: ollama pull mistral',
  ],
  [
    'says what is wrong with the one that it names',
    { tier: 'standard', model: 'qwen3:8b' },
    [candidate({ health: 'unhealthy', error: 'nothing listens there' })],
    {},
    'the model qwen3:8b on box-1: its endpoint is unhealthy: nothing listens there',
  ],
  [
    'takes none that cannot call tools',
    { tier: 'standard' },
    [candidate({ capabilities: ['embedding'] })],
    {},
    /it cannot call tools/,
  ],
  [
    'takes one that does not say what it can',
    { tier: 'standard' },
    [candidate({ capabilities: null })],
    {},
    'qwen3:8b on box-1',
  ],
  [
    'takes none that reads too little',
    { tier: 'standard', minContext: 8_000 },
    [candidate({ contextTokens: 2_048 })],
    {},
    /reads 2048 tokens and 8000 are needed/,
  ],
  [
    'takes none that is paused',
    { tier: 'standard' },
    [candidate({ paused: true })],
    {},
    /failed runs and is paused/,
  ],
  [
    'takes none that was not asked yet',
    { tier: 'standard' },
    [candidate({ health: 'unknown' })],
    {},
    /not asked yet/,
  ],
])('a task %s', (_, wanted, all, changes, expected) => {
  const found = choose(wanted, all, changes)
  if (typeof expected === 'string') expect(found).toBe(expected)
  else expect(found).toMatch(expected)
})

test('the reason reads as a sentence, with the fallback in it', () => {
  const box = candidate({ endpoint: 'box-2', warm: true, host: resources })
  const answer = chooseModel({ tier: 'complex' }, [box], { ...around, waitedMs: 6_000 })
  expect(answer).toMatchObject({
    reason: 'qwen3:8b on box-2: warm, 71 % CPU free; the complex tier had no endpoint for 5 s',
    fallback: { from: 'complex', why: 'the complex tier had no endpoint for 5 s' },
    tier: 'standard',
    costClass: 'local',
  })
})

test('the candidates say what spoke against each, the chosen one first, ten at most', () => {
  const all = [
    candidate(cloud),
    candidate({ endpoint: 'box-2', warm: true }),
    candidate({ endpoint: 'box-3', running: 4 }),
    ...Array.from({ length: 20 }, (_, n) => candidate({ endpoint: `far-${n}`, health: 'unhealthy' })),
  ]
  const answer = chooseModel({ tier: 'standard' }, all, around)
  if ('waitingFor' in answer) throw new Error(answer.waitingFor)
  expect(answer.candidates).toHaveLength(10)
  expect(answer.candidates[0]).toEqual({ endpoint: 'box-2', model: 'qwen3:8b', score: 0.518, why: 'chosen' })
  expect(answer.candidates[1]).toMatchObject({ endpoint: 'box-3', why: 'has 4 of 4 runs' })
})

test.each([
  ['half busy and of the size of the reference when nothing is known', null, 0.45],
  ['by its free processor', { ...resources, cpuPercent: 0 }, 0.9],
  ['by its memory, half as much again at most', { ...resources, cpuPercent: 0, ramTotalBytes: 128e9 }, 1.35],
  ['by a small memory', { ...resources, cpuPercent: 0, ramTotalBytes: 4e9 }, 0.225],
  [
    'by its graphics memory when all of it is free',
    { ...resources, cpuPercent: 0, vramTotalBytes: 8e9, vramFreeBytes: 8e9 },
    1,
  ],
  [
    'by its graphics memory when none of it is',
    { ...resources, cpuPercent: 0, vramTotalBytes: 8e9, vramFreeBytes: 0 },
    0.8,
  ],
  ['nothing when it is fully busy', { ...resources, cpuPercent: 100 }, 0],
])('a machine counts %s', (_, host, expected) => {
  expect(scoreOf(candidate({ host }), around)).toBeCloseTo(expected, 10)
})

const anyTier = fc.constantFrom<Tier>(...tiers)
const anyCandidate = fc
  .record({
    endpoint: fc.constantFrom('a', 'b', 'c'),
    model: fc.constantFrom('m1', 'm2', 'm3:latest'),
    cloud: fc.boolean(),
    health: fc.constantFrom('healthy', 'healthy', 'unhealthy', 'unknown'),
    stateMs: fc.nat(20_000),
    paused: fc.boolean(),
    running: fc.nat(4),
    limit: fc.constantFrom(1, 4),
    tier: anyTier,
    contextTokens: fc.constantFrom(null, 2_048, 32_768),
    capabilities: fc.constantFrom(null, ['tools'], ['completion']),
    warm: fc.boolean(),
    price: fc.constantFrom(null, 0, 2, 50),
    billions: fc.constantFrom(null, 3, 8),
  })
  .map((changes) => candidate(changes as Partial<Candidate>))
const anyWanted = fc.record({
  tier: anyTier,
  model: fc.constantFrom(null, null, 'm1', 'm3', 'nowhere'),
  minContext: fc.constantFrom(0, 8_000),
})
const anyAround = fc
  .record({
    waitedMs: fc.nat(10_000),
    cloudAllowed: fc.boolean(),
    prefer: fc.constantFrom<string[]>([], ['m2']),
  })
  .map((changes): Around => ({ ...around, ...changes }))

test('whatever is there, an unfit or a full one is never chosen, and a fallback is one step after the wait', () => {
  fc.assert(
    fc.property(anyWanted, fc.array(anyCandidate, { maxLength: 8 }), anyAround, (wanted, all, now) => {
      const answer = chooseModel(wanted, all, now)
      if ('waitingFor' in answer) {
        expect(answer.waitingFor).not.toBe('')
        return
      }
      const { chosen, fallback, tier, costClass } = answer
      expect(whyUnfit(chosen, wanted, now)).toBeUndefined()
      expect(chosen.running).toBeLessThan(chosen.limit)
      expect(chosen.cloud && !(now.cloudAllowed && chosen.price !== null)).toBe(false)
      expect([tier, costClass]).toEqual([chosen.tier, chosen.cloud ? 'api' : 'local'])
      if (wanted.model !== null) {
        expect(chosen.model).toBe(wanted.model === 'm3' ? 'm3:latest' : wanted.model)
        expect(fallback).toBeNull()
        return
      }
      const steps = Math.abs(tiers.indexOf(tier) - tiers.indexOf(wanted.tier))
      expect(steps).toBe(fallback === null ? 0 : 1)
      if (fallback === null) return
      expect(now.waitedMs).toBeGreaterThanOrEqual(now.waitMs)
      expect(
        all.filter((each) => each.tier === wanted.tier && whyUnfit(each, wanted, now) === undefined),
      ).toEqual([])
    }),
    { numRuns: 1_000 },
  )
})

test('the order in which the candidates come changes nothing', () => {
  fc.assert(
    fc.property(anyWanted, fc.array(anyCandidate, { maxLength: 8 }), anyAround, (wanted, all, now) => {
      const seen = new Map(all.map((each) => [`${each.endpoint} ${each.model}`, each]))
      const once = [...seen.values()]
      const what = (answer: ReturnType<typeof chooseModel>) =>
        'chosen' in answer ? [answer.chosen, answer.reason] : 'waits'
      expect(what(chooseModel(wanted, once.toReversed(), now))).toEqual(what(chooseModel(wanted, once, now)))
    }),
    { numRuns: 500 },
  )
})
