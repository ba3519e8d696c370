import type { ModelList } from '@muster/contract/models'
import { eventually } from '@muster/testkit/eventually'
import { expect, onTestFinished, test } from 'vitest'
import { countRows, everyStoredText } from '../../test-support/database.ts'
import { addWorkspace, startHub, type TestHub } from '../../test-support/hub.ts'
import { refusal } from '../../test-support/http.ts'
import { startModelServer } from '../../test-support/model-server.ts'
import { noHints, openDb } from '../../test-support/rooms.ts'
import { createCosts } from '../costs/costs.ts'
import { createEvents } from '../kernel/events.ts'
import { createModels } from './models.ts'
import { noClouds } from './settings.ts'

const qwen = { name: 'qwen3:8b', warm: true }
const llama = { name: 'llama3.2:3b', size: '3.2B' }
const embed = { name: 'nomic-embed-text:latest', size: '137M', capabilities: ['embedding'] }

const list = (hub: TestHub) => hub.call('listModels')
const add = (hub: TestHub, name: string, url: string, more: object = {}) =>
  hub.attempt('addEndpoint', { body: { name, url, ...more } })
const until = (hub: TestHub, what: string, isSo: (found: ModelList) => boolean) =>
  eventually(async () => ((found) => (isSo(found) ? found : undefined))(await list(hub)), { what })
const kinds = async (hub: TestHub) =>
  (await hub.call('listEvents', { query: { limit: '500' } })).items.map(({ kind }) => kind)
/** As time would: the next round of the loop asks this endpoint. */
const ageChecks = (hub: TestHub) =>
  hub.sql(`update endpoints set checked_at = checked_at - interval '1 hour' where checked_at is not null`)

test('the Ollama of the settings is an endpoint by itself, with what it has, and what is missing is said', async () => {
  const ollama = await startModelServer([qwen, llama, embed])
  const hub = await startHub({ models: { ollamaUrl: ollama.url, model: 'mistral:7b' } })
  const found = await until(hub, 'the models are there', ({ items }) => items.length === 3)
  expect(found.endpoints).toMatchObject([
    { name: 'ollama', source: 'settings', health: 'healthy', cloud: false, version: '0.12.3', error: null },
  ])
  expect(found.items).toMatchObject([
    {
      name: 'qwen3:8b',
      tier: 'standard',
      warm: true,
      vramBytes: 5_000,
      contextTokens: 40_960,
      capabilities: ['completion', 'tools'],
      parameterSize: '8.2B',
      quantization: 'Q4_K_M',
      unfit: null,
    },
    { name: 'llama3.2:3b', tier: 'trivial', warm: false, vramBytes: null, unfit: null },
    { name: 'nomic-embed-text:latest', unfit: 'it cannot call tools' },
  ])
  expect(found.missing).toEqual([
    { name: 'mistral:7b', wantedBy: 'MUSTER_MODEL', command: 'ollama pull mistral:7b' },
  ])
  expect(ollama.told.map(({ path }) => path)).not.toContain('/api/pull')
})

test('the details of a model are asked for once, and a model that goes is gone', async () => {
  const ollama = await startModelServer([qwen, llama])
  const hub = await startHub({ models: { ollamaUrl: ollama.url } })
  await until(hub, 'the models are there', ({ items }) => items.length === 2)
  const shown = () => ollama.told.filter(({ path }) => path === '/api/show').length
  expect(shown()).toBe(2)
  ollama.models = [{ ...qwen, warm: false }]
  const endpoint = await hub.call('refreshEndpoint', { params: { endpoint: 'ollama' } })
  expect(endpoint.models).toMatchObject([{ name: 'qwen3:8b', warm: false, contextTokens: 40_960 }])
  expect(shown()).toBe(2)
})

test('an endpoint that stops answering is unhealthy after two checks, and its recovery is told', async () => {
  const ollama = await startModelServer([qwen])
  const hub = await startHub({ models: { ollamaUrl: ollama.url } })
  await until(hub, 'it is healthy', ({ endpoints }) => endpoints[0]?.health === 'healthy')
  await ollama.stop()
  await ageChecks(hub)
  const once = await until(hub, 'a check has failed', ({ endpoints }) => endpoints[0]?.failures === 1)
  expect(once.endpoints[0]).toMatchObject({ health: 'healthy', error: 'nothing listens there' })
  expect(await kinds(hub)).not.toContain('endpoint.unhealthy')
  await ageChecks(hub)
  const twice = await until(hub, 'it is unhealthy', ({ endpoints }) => endpoints[0]?.health === 'unhealthy')
  expect(twice.items).toMatchObject([{ unfit: 'its endpoint is unhealthy: nothing listens there' }])
  await ollama.startAgain()
  await ageChecks(hub)
  await until(hub, 'it is healthy again', ({ endpoints }) => endpoints[0]?.health === 'healthy')
  expect((await kinds(hub)).filter((kind) => kind.startsWith('endpoint.'))).toEqual([
    'endpoint.unhealthy',
    'endpoint.recovered',
  ])
})

test('a hub that starts knows nothing of the endpoints until it has asked them', async () => {
  const ollama = await startModelServer([qwen])
  const first = await startHub({ models: { ollamaUrl: ollama.url } })
  await until(first, 'it is healthy', ({ endpoints }) => endpoints[0]?.health === 'healthy')
  await first.stop()
  ollama.instead = () => {}
  const second = await startHub({ database: first.database, models: { ollamaUrl: ollama.url } })
  const found = await until(second, 'it was forgotten', ({ endpoints }) => endpoints[0]?.health === 'unknown')
  expect(found.items).toMatchObject([{ name: 'qwen3:8b', unfit: 'its endpoint was not asked yet' }])
  ollama.instead = undefined
})

test('an endpoint is added, shown and removed, and one that does not answer yet says so', async () => {
  const box = await startModelServer([qwen])
  const hub = await startHub()
  expect((await add(hub, 'box-2', `${box.url}/`, { limit: 2 })).body).toMatchObject({
    name: 'box-2',
    url: box.url,
    source: 'manual',
    health: 'healthy',
    limit: 2,
    models: [{ name: 'qwen3:8b' }],
  })
  const silent = await add(hub, 'later', 'http://127.0.0.1:1')
  expect(silent.body).toMatchObject({ health: 'unknown', failures: 1 })
  expect(await kinds(hub)).toContain('endpoint.added')
  expect(await hub.call('removeEndpoint', { params: { endpoint: 'box-2' } })).toEqual({ ok: true })
  expect((await list(hub)).endpoints.map(({ name }) => name)).not.toContain('box-2')
  expect(refusal(await hub.attempt('getEndpoint', { params: { endpoint: 'box-2' } }))).toEqual({
    status: 404,
    code: 'endpoint_not_found',
  })
})

test.each([
  ['ftp://box-2/models', 422, 'endpoint_url_refused'],
  ['http://user:geheim@box-2:11434', 422, 'endpoint_url_refused'],
  ['box-2', 422, 'endpoint_url_refused'],
  ['', 400, 'invalid_request'],
])('the address %j is refused, and nothing is half-created', async (url, status, code) => {
  const hub = await startHub({ loops: false })
  const before = await countRows(hub.database)
  const answer = await add(hub, 'box-2', url)
  expect(refusal(answer)).toEqual({ status, code })
  expect(answer.text).not.toContain('geheim')
  expect(await countRows(hub.database)).toEqual(before)
})

test('a name and an address are registered once', async () => {
  const hub = await startHub({ loops: false })
  expect((await add(hub, 'a', 'http://127.0.0.1:9')).status).toBe(201)
  expect(refusal(await add(hub, 'a', 'http://127.0.0.1:1')).code).toBe('endpoint_name_taken')
  expect(refusal(await add(hub, 'b', 'http://127.0.0.1:9/api')).code).toBe('endpoint_exists')
  expect((await list(hub)).endpoints).toHaveLength(1)
})

test('an endpoint of the settings is not removed, and one that they name no more is gone after the next start', async () => {
  const [one, other] = [await startModelServer([qwen]), await startModelServer([llama])]
  const first = await startHub({ models: { ollamaUrl: one.url } })
  await until(first, 'it is there', ({ items }) => items.length === 1)
  const answer = await first.attempt('removeEndpoint', { params: { endpoint: 'ollama' } })
  expect(refusal(answer)).toEqual({ status: 409, code: 'endpoint_from_settings' })
  await first.stop()
  const second = await startHub({ database: first.database, models: { ollamaUrl: other.url } })
  const found = await until(second, 'the other is there', ({ items }) => items[0]?.name === 'llama3.2:3b')
  expect(found.endpoints.map(({ name, url }) => [name, url])).toEqual([['ollama', other.url]])
})

test('the tier of a model is set by hand and given back to its size; an unknown one is refused', async () => {
  const ollama = await startModelServer([qwen])
  const hub = await startHub({ models: { ollamaUrl: ollama.url } })
  await until(hub, 'the model is there', ({ items }) => items.length === 1)
  const set = (model: string, tier: string | null) => hub.attempt('setModelTier', { body: { model, tier } })
  expect((await set('qwen3:8b', 'complex')).body).toMatchObject({
    items: [{ tier: 'complex', tierByHand: true }],
  })
  expect((await set('qwen3:8b', null)).body).toMatchObject({
    items: [{ tier: 'standard', tierByHand: false }],
  })
  expect(refusal(await set('qwen3:9b', 'complex'))).toEqual({ status: 404, code: 'model_not_found' })
  expect(refusal(await set('qwen3:8b', 'huge'))).toEqual({ status: 400, code: 'invalid_request' })
})

test('a cloud is asked with its key, is used only where that is allowed, and its key is stored nowhere', async () => {
  const cloud = await startModelServer([{ name: 'gpt-x' }, { name: 'text-embedding-y' }])
  const url = `${cloud.url}/v1`
  const key = 'sk-canary-0123456789'
  const hub = await startHub({ models: { openai: { url, key }, anthropic: { url, key: `${key}-a` } } })
  const found = await until(hub, 'both were asked', ({ items }) => items.length === 4)
  expect(found.items.filter(({ endpoint }) => endpoint === 'openai')).toMatchObject([
    { name: 'gpt-x', tier: 'complex', cloud: true, unfit: expect.stringMatching(/model cloud allow/) },
    { name: 'text-embedding-y' },
  ])
  const asked = cloud.told.map(({ path, headers }) => [path, headers.authorization ?? headers['x-api-key']])
  expect(asked).toContainEqual(['/v1/models', `Bearer ${key}`])
  expect(asked).toContainEqual(['/v1/models?limit=1000', `${key}-a`])
  const dear = await hub.call('allowCloud', { body: { allowed: true } })
  expect(dear.items.map(({ unfit }) => unfit)).toEqual(
    expect.arrayContaining([expect.stringMatching(/price is not known .*cost price set gpt-x/)]),
  )
  for (const { name } of dear.items)
    await hub.call('setPrice', { body: { model: name, inputUsd: 1, outputUsd: 2 } })
  const allowed = await hub.call('allowCloud', { body: { allowed: true } })
  expect(allowed.items.map(({ unfit }) => unfit)).toEqual([
    null,
    'it cannot call tools',
    null,
    'it cannot call tools',
  ])
  expect(await everyStoredText(hub.database.url)).not.toContain('canary')
})

test('the key of a cloud goes to the address of the settings and not to one that somebody adds', async () => {
  const [cloud, thief] = [
    await startModelServer([{ name: 'gpt-x' }]),
    await startModelServer([{ name: 'gpt-x' }]),
  ]
  const hub = await startHub({ models: { openai: { url: `${cloud.url}/v1`, key: 'sk-canary' } } })
  await add(hub, 'thief', thief.url, { kind: 'openai' })
  await hub.call('refreshEndpoint', { params: { endpoint: 'thief' } })
  await until(hub, 'the cloud was asked', ({ endpoints }) =>
    endpoints.some(({ name, health }) => name === 'openai' && health === 'healthy'),
  )
  expect(thief.told.length).toBeGreaterThan(1)
  expect(JSON.stringify(thief.told)).not.toContain('canary')
  // The control: the settings' own address does get it.
  expect(JSON.stringify(cloud.told)).toContain('canary')
})

test('a model that an Ollama passes on to somebody else counts as cloud', async () => {
  const ollama = await startModelServer([{ name: 'gpt-oss:120b-cloud', size: '120B', remote: true }, qwen])
  const hub = await startHub({ models: { ollamaUrl: ollama.url } })
  const { items } = await until(hub, 'the models are there', (found) => found.items.length === 2)
  expect(items.map(({ cloud, unfit }) => [cloud, unfit === null])).toEqual([
    [true, false],
    [false, true],
  ])
})

test.each<[string, (response: import('node:http').ServerResponse) => void, RegExp]>([
  ['is no Ollama', (response) => response.end('<html>'), /not JSON/],
  ['answers another shape', (response) => response.end('{"models":{"a":1}}'), /not what an Ollama says/],
  ['is broken', (response) => response.writeHead(500).end(), /answers 500/],
  [
    'leads elsewhere',
    (response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
    /redirect/,
  ],
  ['hangs up', (response) => response.socket?.destroy(), /connection/],
  [
    'sends without end',
    (response) => {
      response.on('error', () => {})
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    },
    /larger than 8 MiB/,
  ],
])('a server that %s is an endpoint with an error and without models', async (_, respond, why) => {
  const odd = await startModelServer()
  odd.instead = (_request, response) => respond(response)
  const hub = await startHub({ loops: false })
  const answer = await add(hub, 'odd', odd.url)
  expect([answer.status, answer.body]).toMatchObject([201, { health: 'unknown', models: [] }])
  expect((answer.body as { error: string }).error).toMatch(why)
})

test('names of models that are no names are left out', async () => {
  const odd = await startModelServer([
    { name: 'a\u001b[31mred' },
    { name: '' },
    { name: 'x'.repeat(300) },
    qwen,
  ])
  const hub = await startHub({ loops: false })
  expect((await add(hub, 'odd', odd.url)).body).toMatchObject({ models: [{ name: 'qwen3:8b' }] })
})

test('each workspace has its own endpoints, tiers and permission', async () => {
  const ollama = await startModelServer([qwen])
  const hub = await startHub({ models: { ollamaUrl: ollama.url } })
  const b = await addWorkspace(hub.database, 'b')
  const asB = { token: b.token }
  await until(hub, 'A has it', ({ items }) => items.length === 1)
  await eventually(async () => (await hub.call('listModels', asB)).items.length === 1, {
    what: 'B has it too',
  })
  await hub.call('addEndpoint', { ...asB, body: { name: 'canary', url: 'http://127.0.0.1:9' } })
  await hub.call('allowCloud', { ...asB, body: { allowed: true } })
  await hub.call('setModelTier', { ...asB, body: { model: 'qwen3:8b', tier: 'complex' } })
  const mine = await list(hub)
  expect(JSON.stringify(mine)).not.toContain('canary')
  expect([mine.cloudAllowed, mine.items[0]?.tier]).toEqual([false, 'standard'])
  const theirs = await hub.call('listModels', asB)
  expect(theirs.endpoints.map(({ name }) => name)).toEqual(['canary', 'ollama'])
  expect([theirs.cloudAllowed, theirs.items[0]?.tier]).toEqual([true, 'complex'])
})

test('of several hubs that look at once one asks an endpoint, and the next time is half a minute later', async () => {
  const ollama = await startModelServer([qwen])
  const hub = await startHub({ loops: false })
  const db = openDb(hub.database, onTestFinished)
  const events = createEvents({ hints: noHints })
  const settings = { ...noClouds, ollamaUrl: ollama.url }
  const hubs = [1, 2, 3].map(() =>
    createModels({ db, events, hints: noHints, settings, costs: createCosts({ events }) }),
  )
  const asked = () => ollama.told.filter(({ path }) => path === '/api/version').length
  for (const each of hubs) await each.care()
  // Each start forgets what was known, and asks.
  expect(asked()).toBe(3)
  await Promise.all(hubs.map((each) => each.care()))
  expect(asked()).toBe(3)
  await ageChecks(hub)
  await Promise.all(hubs.map((each) => each.care()))
  expect(asked()).toBe(4)
})
