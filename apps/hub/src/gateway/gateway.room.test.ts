import type { ChosenModel } from '@muster/contract/loop'
import { startFakeAnthropic } from '@muster/testkit/models/fake-anthropic'
import { startFakeOllama } from '@muster/testkit/models/fake-ollama'
import { startFakeOpenAi } from '@muster/testkit/models/fake-openai'
import { eventually } from '@muster/testkit/eventually'
import { expect, onTestFinished, test } from 'vitest'
import { everyStoredText } from '../../test-support/database.ts'
import { addRepo, addWorkspace, startHub, type TestHub } from '../../test-support/hub.ts'
import { hashOf, newGatewayToken } from '../runs/gateway-access.ts'

const secretKey = 'sk-of-the-hub-and-nobody-else'
const usage = { inputTokens: 1_000, outputTokens: 200 }
const price = 1_000 * 3 + 200 * 15

async function openAi(hub?: Parameters<typeof startHub>[0]) {
  const fake = await startFakeOpenAi({
    models: ['gpt-paid'],
    apiKey: secretKey,
    turns: { text: 'Hello.', usage },
  })
  onTestFinished(fake.close)
  const started = await startHub({ models: { openai: { url: fake.url, key: secretKey } }, ...hub })
  await setPrice(started, 'gpt-paid')
  return { fake, hub: started }
}

const setPrice = (hub: TestHub, model: string) =>
  hub.sql('insert into prices values ($1, $2, 3000000, 15000000, 0, 0)', [hub.workspaceId, model])

/** An open run that holds its lease and was given this model, with its token, as assignment would make it. */
async function openRun(
  hub: TestHub,
  model: Partial<ChosenModel> & { name: string; endpoint: string },
  budget?: number,
) {
  const worker = await hub.worker()
  await hub.call('createTask', { body: { repo: 'demo', title: 'x', run: 'true' } })
  const { runId, taskId, epoch } = await worker.assigned()
  const token = newGatewayToken()
  const whole = {
    provider: 'openai',
    url: null,
    via: 'gateway',
    contextTokens: 8_192,
    costClass: 'api',
    ...model,
  }
  await hub.sql('update runs set model = $2, gateway_token_hash = $3, budget_microusd = $4 where id = $1', [
    runId,
    JSON.stringify(whole),
    hashOf(token),
    budget ?? null,
  ])
  return { token, runId, taskId, epoch, worker }
}

const ask = (hub: TestHub, token: string | undefined, body: object, path = '/v1/chat/completions') =>
  fetch(`${hub.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  })
const chat = { model: 'gpt-paid', messages: [{ role: 'user', content: 'hi' }], max_tokens: 500 }

const ledger = (hub: TestHub) =>
  hub.sql<{ cost: string; input: string; output: string; is_maximum: boolean }>(
    'select cost_microusd as cost, input_tokens as input, output_tokens as output, is_maximum from calls',
  )
const reserved = async (hub: TestHub) =>
  Number(
    (await hub.sql<{ sum: string }>('select coalesce(sum(reserved_microusd), 0) as sum from budgets'))[0]
      ?.sum,
  )
const endpoint = (hub: TestHub, kind: string) =>
  eventually(async () => (await hub.call('listModels')).endpoints.find((each) => each.kind === kind)?.name, {
    what: `there is an endpoint of ${kind}`,
  })

test.each([false, true])(
  'a call is answered and counted as its server counted it (stream: %s)',
  async (stream) => {
    const { hub } = await openAi()
    await addRepo(hub.database, hub.workspaceId)
    const run = await openRun(hub, { name: 'gpt-paid', endpoint: await endpoint(hub, 'openai') })
    const answer = await ask(hub, run.token, { ...chat, stream })
    const text = await answer.text()
    expect(answer.status, text).toBe(200)
    expect(text).toContain('Hello.')
    await eventually(async () => (await ledger(hub)).length === 1)
    expect(await ledger(hub)).toEqual([
      { cost: String(price), input: '1000', output: '200', is_maximum: false },
    ])
    expect(await reserved(hub)).toBe(0)
    expect((await hub.call('listRuns')).items[0]?.costMicroUsd).toBe(price)
  },
)

test('the key is in no answer and in no row, and a refusal of the server is passed on and costs nothing', async () => {
  const { hub, fake } = await openAi()
  await addRepo(hub.database, hub.workspaceId)
  const run = await openRun(hub, { name: 'gpt-paid', endpoint: await endpoint(hub, 'openai') })
  expect(fake.requests.some(({ headers }) => headers.authorization === `Bearer ${secretKey}`)).toBe(true)
  const answer = await ask(hub, run.token, { ...chat, messages: 'not a list' })
  expect(answer.status).toBe(400)
  expect(await answer.text()).not.toContain(secretKey)
  await eventually(async () => (await ledger(hub)).length === 1)
  expect((await ledger(hub))[0]?.cost).toBe('0')
  expect(await everyStoredText(hub.database.url)).not.toContain(secretKey)
})

test('nobody but an open run is let in, and it reaches its own model only', async () => {
  const { hub, fake } = await openAi()
  await addRepo(hub.database, hub.workspaceId)
  const run = await openRun(hub, { name: 'gpt-paid', endpoint: await endpoint(hub, 'openai') })
  const before = fake.requests.length
  const statuses = await Promise.all([
    ask(hub, undefined, chat),
    ask(hub, newGatewayToken(), chat),
    ask(hub, hub.ownerToken, chat),
    ask(hub, run.token, { ...chat, model: 'gpt-other' }),
    ask(hub, run.token, chat, '/v1/messages'),
    ask(hub, run.token, chat, '/api/chat'),
  ])
  expect(statuses.map(({ status }) => status)).toEqual([401, 401, 401, 403, 422, 422])
  expect(await statuses[0]?.json()).toMatchObject({ error: { code: 'unauthenticated' } })
  expect(await statuses[4]?.json()).toMatchObject({ type: 'error', error: { type: 'wire_not_spoken' } })

  await hub.call('cancelTask', { params: { task: run.taskId } })
  expect((await ask(hub, run.token, chat)).status).toBe(401)
  expect(fake.requests.length).toBe(before)
  expect(await ledger(hub)).toEqual([])
})

test('what a budget does not allow never reaches the server', async () => {
  const { hub, fake } = await openAi()
  await addRepo(hub.database, hub.workspaceId)
  const run = await openRun(hub, { name: 'gpt-paid', endpoint: await endpoint(hub, 'openai') }, 5_000)
  const before = fake.requests.length
  const refused = await ask(hub, run.token, chat)
  expect(refused.status).toBe(402)
  expect(await refused.json()).toMatchObject({ error: { code: 'budget_exhausted' } })
  // Told once, and not at each call that is refused.
  await ask(hub, run.token, chat)
  const { items } = await hub.call('listEvents', { query: { limit: '500' } })
  expect(items.filter(({ kind }) => kind === 'budget.exhausted')).toMatchObject([{ taskId: run.taskId }])
  expect(fake.requests.length).toBe(before)
  // The same call with a shorter answer fits.
  expect((await ask(hub, run.token, { ...chat, max_tokens: 200 })).status).toBe(200)
})

test('a stream that breaks without a word about tokens counts with the most that it could have cost', async () => {
  const { hub, fake } = await openAi()
  await addRepo(hub.database, hub.workspaceId)
  const run = await openRun(hub, { name: 'gpt-paid', endpoint: await endpoint(hub, 'openai') })
  fake.script({ text: 'x'.repeat(4_000), pieceMs: 20 })
  const stopped = new AbortController()
  const answer = await fetch(`${hub.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${run.token}` },
    body: JSON.stringify({ ...chat, stream: true }),
    signal: stopped.signal,
  })
  await answer.body?.getReader().read()
  stopped.abort()
  await eventually(async () => (await ledger(hub)).length === 1)
  expect((await ledger(hub))[0]?.is_maximum).toBe(true)
  expect(await reserved(hub)).toBe(0)
  // The server noticed, too: nobody goes on paying for an answer that nobody reads.
  await eventually(() => fake.requests.at(-1)?.aborted === true)
})

test('Anthropic’s wire is passed through with its own key header, and its tokens are read', async () => {
  const fake = await startFakeAnthropic({
    models: ['claude-paid'],
    apiKey: secretKey,
    turns: { text: 'Hi.', usage },
  })
  onTestFinished(fake.close)
  const hub = await startHub({ models: { anthropic: { url: fake.url, key: secretKey } } })
  await addRepo(hub.database, hub.workspaceId)
  await setPrice(hub, 'claude-paid')
  const run = await openRun(hub, {
    name: 'claude-paid',
    endpoint: await endpoint(hub, 'anthropic'),
    provider: 'anthropic',
  })
  const body = {
    model: 'claude-paid',
    max_tokens: 500,
    stream: true,
    messages: [{ role: 'user', content: 'hi' }],
  }
  const answer = await ask(hub, run.token, body, '/v1/messages')
  expect(answer.status, await answer.clone().text()).toBe(200)
  expect(await answer.text()).toContain('message_stop')
  await eventually(async () => (await ledger(hub)).length === 1)
  expect((await ledger(hub))[0]).toMatchObject({ cost: String(price), is_maximum: false })
})

test('a local Ollama is reached without a price, on its own wire and on the others that it speaks', async () => {
  const fake = await startFakeOllama({ turns: { text: 'Hi.', usage } })
  onTestFinished(fake.close)
  const hub = await startHub({ models: { ollamaUrl: fake.url } })
  await addRepo(hub.database, hub.workspaceId)
  const name = await eventually(async () => (await hub.call('listModels')).items[0]?.name)
  const run = await openRun(hub, {
    name,
    endpoint: await endpoint(hub, 'ollama'),
    provider: 'ollama',
    costClass: 'local',
  })
  const body = { model: name, max_tokens: 500, messages: [{ role: 'user', content: 'hi' }] }
  for (const path of ['/api/chat', '/v1/chat/completions', '/v1/messages']) {
    const answer = await ask(hub, run.token, body, path)
    expect(answer.status, `${path}: ${await answer.clone().text()}`).toBe(200)
    expect(await answer.text(), path).toContain('Hi.')
  }
  expect(await reserved(hub)).toBe(0)
})

test('a run of one workspace spends nothing of another', async () => {
  const { hub } = await openAi()
  await addRepo(hub.database, hub.workspaceId)
  const other = await addWorkspace(hub.database, 'other')
  const run = await openRun(hub, { name: 'gpt-paid', endpoint: await endpoint(hub, 'openai') })
  expect((await ask(hub, run.token, chat)).status).toBe(200)
  await eventually(async () => (await ledger(hub)).length === 1)
  const seen = await hub.hub.db.inWorkspace(other.workspaceId, (tx) => tx.query('select 1 from calls'))
  expect(seen).toEqual([])
})
