import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { type FakeOllamaOptions, startFakeOllama } from './fake-ollama.ts'
import { byRound } from './turn.ts'

async function start(options: FakeOllamaOptions = {}) {
  const fake = await startFakeOllama(options)
  onTestFinished(fake.close)
  const post = (path: string, body: unknown) =>
    fetch(fake.url + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const lines = async (body: object, path = '/api/chat') => {
    const text = await (await post(path, { model: 'qwen3:8b', ...body })).text()
    expect(text.endsWith('\n')).toBe(true)
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  }
  return { fake, post, lines }
}

const hello = { messages: [{ role: 'user', content: 'Hello' }] }
const tool = { type: 'function', function: { name: 'get_weather', description: '', parameters: {} } }
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

test('a chat streams unless it is told not to: deltas, whole calls with an object, and counters on the last line', async () => {
  const turn = {
    thinking: 'Let me',
    text: 'The sun',
    calls: [{ name: 'get_weather', args: { city: 'Tokyo' } }],
  }
  const { lines, post } = await start({ turns: turn })
  const response = await post('/api/chat', { model: 'qwen3:8b', ...hello })
  expect(response.headers.get('content-type')).toBe('application/x-ndjson')
  await response.text()
  const written = await lines({ ...hello, tools: [tool] })
  const common = { model: 'qwen3:8b', created_at: expect.stringMatching(time) }
  const delta = (message: object) => ({
    ...common,
    message: { role: 'assistant', content: '', ...message },
    done: false,
  })
  const call = { index: 0, name: 'get_weather', arguments: { city: 'Tokyo' } }
  expect(written.slice(0, -1)).toEqual([
    delta({ thinking: 'Let ' }),
    delta({ thinking: 'me' }),
    delta({ content: 'The ' }),
    delta({ content: 'sun' }),
    delta({ tool_calls: [{ id: expect.stringMatching(/^call_[a-z0-9]{8}$/), function: call }] }),
  ])
  const last = written.at(-1)
  expect(last).toMatchObject({
    ...common,
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'stop',
  })
  expect(Object.keys(last.message)).toEqual(['role', 'content'])
  for (const name of ['total_duration', 'load_duration', 'prompt_eval_duration', 'eval_duration']) {
    expect(Number.isInteger(last[name]), name).toBe(true)
    expect(last[name]).toBeGreaterThan(1e6)
  }
})

test('without a stream there is one object with everything gathered', async () => {
  const calls = [
    { name: 'one', args: {} },
    { name: 'two', args: { n: 2 } },
  ]
  const { post } = await start({ turns: { thinking: 'a b', text: 'c d', calls } })
  const response = await post('/api/chat', { model: 'qwen3:8b', stream: false, ...hello })
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
  const body = (await response.json()) as Record<string, unknown>
  expect(body).toMatchObject({
    message: {
      content: 'c d',
      thinking: 'a b',
      tool_calls: [{ function: { index: 0 } }, { function: { index: 1, arguments: { n: 2 } } }],
    },
    done: true,
    done_reason: 'stop',
  })
})

test('what is zero or empty is left out of the last line', async () => {
  const { lines } = await start({ turns: { usage: { inputTokens: 0, outputTokens: 0 } } })
  const [last] = await lines(hello)
  expect(last.message).toEqual({ role: 'assistant', content: '' })
  for (const name of ['prompt_eval_count', 'prompt_eval_duration', 'eval_count', 'eval_duration']) {
    expect(last).not.toHaveProperty(name)
  }
})

test('a chat without messages loads the model, and keep_alive 0 unloads it', async () => {
  const { fake } = await start()
  const body = async (path: string, fields: object) =>
    (await (
      await fetch(fake.url + path, {
        method: 'POST',
        body: JSON.stringify({ model: 'qwen3:8b', ...fields }),
      })
    ).json()) as unknown
  expect(await body('/api/chat', { messages: [] })).toMatchObject({
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'load',
  })
  expect(fake.isLoaded('qwen3:8b')).toBe(true)
  expect(await body('/api/generate', { keep_alive: 0 })).toMatchObject({
    response: '',
    done_reason: 'unload',
  })
  expect(fake.isLoaded('qwen3:8b')).toBe(false)
})

test.each([
  ['nothing at all', '', 400, 'missing request body'],
  ['no JSON', '<x>', 400, "invalid character '<' looking for beginning of value"],
  ['no model', { messages: [] }, 400, 'model is required'],
  ['a name that cannot be', { model: 'a b', ...hello }, 400, 'invalid model name'],
  ['an unknown model', { model: 'other', ...hello }, 404, "model 'other' not found"],
  [
    'tools for a model without them',
    { model: 'plain', tools: [tool], ...hello },
    400,
    'registry.ollama.ai/library/plain:latest does not support tools',
  ],
  [
    'thinking of a model without it',
    { model: 'plain', think: true, ...hello },
    400,
    '"plain" does not support thinking',
  ],
  ['chat with an embedding model', { model: 'nomic', ...hello }, 400, '"nomic" does not support chat'],
])('%s is refused in the words of Ollama', async (_, body, status, error) => {
  const { post } = await start({
    models: [
      { name: 'plain', capabilities: ['completion'] },
      { name: 'nomic', capabilities: ['embedding'] },
    ],
  })
  const response = await post('/api/chat', body)
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toContain('application/json')
  expect(await response.json()).toEqual({ error })
})

test('a wrong method and an unknown path are told apart, and the root says that it runs', async () => {
  const { fake } = await start({ version: '0.99.1' })
  const at = (path: string, method = 'GET') => fetch(fake.url + path, { method })
  expect(await (await at('/')).text()).toBe('Ollama is running')
  expect((await at('/', 'HEAD')).status).toBe(200)
  expect(await (await at('/api/version')).json()).toEqual({ version: '0.99.1' })
  expect((await at('/api/chat')).status).toBe(405)
  const unknown = await at('/api/none')
  expect([unknown.status, await unknown.text()]).toEqual([404, '404 page not found'])
})

test('tags tell what is on the disk, ps what is in memory, and show what a model can do', async () => {
  const { fake, post } = await start({
    models: [
      { name: 'small', parameterSize: '1B', contextLength: 4096, family: 'llama', sizeVram: 0, loaded: true },
      { name: 'large:70b' },
    ],
  })
  const get = async (path: string) => (await (await fetch(fake.url + path)).json()) as { models: unknown[] }
  const tags = await get('/api/tags')
  expect(tags.models).toHaveLength(2)
  expect(tags.models[0]).toMatchObject({
    name: 'small:latest',
    model: 'small:latest',
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    details: { format: 'gguf', family: 'llama', parameter_size: '1B', quantization_level: 'Q4_K_M' },
  })
  const ps = await get('/api/ps')
  expect(ps.models).toHaveLength(1)
  expect(ps.models[0]).toMatchObject({
    name: 'small:latest',
    expires_at: expect.stringMatching(time),
    context_length: 4096,
  })
  expect(ps.models[0]).not.toHaveProperty('size_vram')
  expect(await (await post('/api/show', { model: 'small' })).json()).toMatchObject({
    model_info: { 'general.architecture': 'llama', 'llama.context_length': 4096 },
    capabilities: ['completion', 'tools'],
  })
  expect((await post('/api/show', { model: 'none' })).status).toBe(404)
})

test('embeddings have length 1, are the same for the same text and nearer for texts that share words', async () => {
  const { post } = await start()
  const input = ['the red fox', 'the red dog', 'quantum chromodynamics']
  const answer = await post('/api/embed', { model: 'nomic-embed-text', input })
  const { embeddings } = (await answer.json()) as { embeddings: number[][] }
  const dot = (a = 0, b = 0) =>
    (embeddings[a] ?? []).reduce((sum, value, i) => sum + value * (embeddings[b]?.[i] ?? 0), 0)
  expect(dot(0, 0)).toBeCloseTo(1, 5)
  expect(dot(0, 1)).toBeGreaterThan(dot(0, 2))
  const empty = await post('/api/embed', { model: 'nomic-embed-text', input: '' })
  expect(await empty.json()).toMatchObject({ embeddings: [] })
  const wrong = await post('/api/embed', { model: 'nomic-embed-text', input: 7 })
  expect([wrong.status, await wrong.json()]).toEqual([400, { error: 'invalid input type' }])
})

test('it serves the other two wires too', async () => {
  const { post } = await start({ turns: { text: 'Hi', thinking: 'hm' } })
  const openai = await post('/v1/chat/completions', { model: 'qwen3:8b', ...hello })
  expect(await openai.json()).toMatchObject({
    object: 'chat.completion',
    choices: [{ message: { content: 'Hi', reasoning: 'hm' }, finish_reason: 'stop' }],
  })
  const anthropic = await post('/v1/messages', { model: 'qwen3:8b', max_tokens: 9, ...hello })
  expect(await anthropic.json()).toMatchObject({
    type: 'message',
    content: [{ type: 'thinking' }, { type: 'text', text: 'Hi' }],
    stop_reason: 'end_turn',
  })
})

test('it remembers what it was asked, and that a client went away', async () => {
  const { fake } = await start({ turns: { text: 'a b c d', pieceMs: 60_000 } })
  const leaving = new AbortController()
  const response = await fetch(`${fake.url}/api/chat`, {
    method: 'POST',
    body: JSON.stringify({ model: 'qwen3:8b', ...hello }),
    signal: leaving.signal,
  })
  expect(response.status).toBe(200)
  leaving.abort()
  await eventually(() => fake.requests[0]?.aborted)
  expect(fake.asked[0]?.messages).toEqual([{ role: 'user', text: 'Hello', calls: [] }])
})

test('a list of turns is played in order, then its last again, or an error if so chosen', async () => {
  const { fake, lines, post } = await start({ turns: [{ text: 'one' }, { text: 'two' }] })
  const said = async () => (await lines(hello))[0].message.content as string
  expect([await said(), await said(), await said()]).toEqual(['one', 'two', 'two'])
  fake.script([{ text: 'three' }], 'error')
  expect(await said()).toBe('three')
  const ended = await post('/api/chat', { model: 'qwen3:8b', ...hello })
  expect([ended.status, await ended.json()]).toEqual([500, { error: 'script ended' }])
})

test('a turn may depend on the conversation, so that two on one server do not mix', async () => {
  const { lines } = await start({ turns: byRound([{ text: 'first' }, { text: 'second' }]) })
  const said = async (messages: object[]) => (await lines({ messages }))[0].message.content as string
  const user = { role: 'user', content: 'x' }
  const later = [user, { role: 'assistant', content: 'first' }, user]
  expect([await said([user]), await said([user]), await said(later)]).toEqual(['first', 'first', 'second'])
})

test.each([
  ['tool_call_json', '<tool_call>\n{"name": "f", "arguments": {"a":"x","n":1}}\n</tool_call>'],
  [
    'function_xml',
    '<tool_call>\n<function=f>\n<parameter=a>\nx\n</parameter>\n<parameter=n>\n1\n</parameter>\n</function>\n</tool_call>',
  ],
  ['fenced_json', '```json\n{"name": "f", "arguments": {"a":"x","n":1}}\n```'],
  ['bare_json', '{"name": "f", "arguments": {"a":"x","n":1}}'],
] as const)('in the dialect %s the calls are text', async (dialect, text) => {
  const { lines } = await start({ dialect, turns: { calls: [{ name: 'f', args: { a: 'x', n: 1 } }] } })
  const written = await lines(hello)
  expect(written.map((line) => line.message.content).join('')).toBe(text)
  expect(written.some((line) => 'tool_calls' in line.message)).toBe(false)
})
