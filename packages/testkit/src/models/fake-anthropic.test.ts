import { expect, onTestFinished, test } from 'vitest'
import { type FakeAnthropicOptions, startFakeAnthropic } from './fake-anthropic.ts'

async function start(options: FakeAnthropicOptions = {}) {
  const fake = await startFakeAnthropic(options)
  onTestFinished(fake.close)
  const post = (body: object, headers: Record<string, string> = {}) =>
    fetch(`${fake.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ model: 'claude-fake', max_tokens: 100, ...body }),
      headers: { 'x-api-key': 'k', 'anthropic-version': '2023-06-01', ...headers },
    })
  return { fake, post }
}

type Event = { type: string; index?: number; delta?: Record<string, string>; [key: string]: unknown }

async function events(response: Response): Promise<Event[]> {
  const blocks = (await response.text()).split('\n\n')
  expect(blocks.pop()).toBe('')
  return blocks.map((block) => {
    const [, name, data = ''] = /^event: (\S+)\ndata: (.*)$/.exec(block) ?? []
    const event = JSON.parse(data) as Event
    expect(event.type).toBe(name)
    return event
  })
}

const hello = { messages: [{ role: 'user', content: 'Hello' }] }

test('a stream opens and closes each block in turn, and ends with its reason and message_stop', async () => {
  const args = { path: 'a.txt', content: 'é🎉 long enough for several parts' }
  const calls = [
    { name: 'write', args, id: 'toolu_1' },
    { name: 'list', args: {} },
  ]
  const { post } = await start({ turns: { thinking: 'hm', text: 'Let me see', calls } })
  const response = await post({ stream: true, ...hello })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  expect(response.headers.get('anthropic-ratelimit-requests-reset')).toMatch(/^\d{4}-.*:\d\dZ$/)
  const written = await events(response)
  expect(written[0]).toMatchObject({
    type: 'message_start',
    message: { role: 'assistant', content: [], stop_reason: null, usage: { output_tokens: 1 } },
  })
  const opened = written.filter((event) => event.type === 'content_block_start')
  expect(opened.map((event) => event['content_block'])).toEqual([
    { type: 'thinking', thinking: '', signature: '' },
    { type: 'text', text: '' },
    { type: 'tool_use', id: 'toolu_1', name: 'write', input: {} },
    { type: 'tool_use', id: expect.stringMatching(/^toolu_/), name: 'list', input: {} },
  ])
  let open: number | undefined
  for (const { type, index } of written) {
    if (type === 'content_block_start') {
      expect(open).toBeUndefined()
      open = index
    } else if (type.startsWith('content_block')) {
      expect(index).toBe(open)
      if (type === 'content_block_stop') open = undefined
    }
  }
  const json = written
    .filter((event) => event.index === 2)
    .map((event) => event.delta?.['partial_json'] ?? '')
  expect(json.length).toBeGreaterThan(4)
  expect(JSON.parse(json.join(''))).toEqual(args)
  expect(written.slice(-2)).toMatchObject([
    { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: {} },
    { type: 'message_stop' },
  ])
})

test('without a stream there is one message with its blocks', async () => {
  const usage = { inputTokens: 100, outputTokens: 5, cacheReadTokens: 30, cacheWriteTokens: 20 }
  const { post } = await start({ turns: { text: 'Hi', why: 'length', usage } })
  expect(await (await post(hello)).json()).toMatchObject({
    type: 'message',
    content: [{ type: 'text', text: 'Hi' }],
    stop_reason: 'max_tokens',
    usage: {
      input_tokens: 50,
      cache_read_input_tokens: 30,
      cache_creation_input_tokens: 20,
      output_tokens: 5,
    },
  })
})

test.each([
  ['an unknown model', { model: 'none', ...hello }, {}, 404, 'not_found_error'],
  ['no limit of tokens', { max_tokens: undefined, ...hello }, {}, 400, 'invalid_request_error'],
  ['a wrong key', hello, { 'x-api-key': 'wrong' }, 401, 'authentication_error'],
  [
    'a tool_use without its result',
    {
      messages: [
        { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] },
        { role: 'user', content: 'x' },
      ],
    },
    {},
    400,
    'invalid_request_error',
  ],
  [
    'a result of nothing',
    { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'x' }] }] },
    {},
    400,
    'invalid_request_error',
  ],
])('%s is refused in the shape of the service', async (_, body, headers, status, type) => {
  const { post } = await start({ apiKey: 'k' })
  const response = await post(body, headers)
  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({
    type: 'error',
    error: { type, message: expect.any(String) },
    request_id: expect.stringMatching(/^req_/),
  })
})

test('a request that names no version of the API is refused', async () => {
  const { fake } = await start()
  const response = await fetch(`${fake.url}/v1/messages`, { method: 'POST', headers: { 'x-api-key': 'k' } })
  expect([response.status, await response.text()]).toEqual([
    400,
    expect.stringContaining('anthropic-version'),
  ])
})

test('a script sees the system text, the tools, and a result as a message of its own', async () => {
  const { fake, post } = await start()
  await post({
    system: [{ type: 'text', text: 'S' }],
    tools: [{ name: 'f', input_schema: { type: 'object' } }],
    messages: [
      { role: 'user', content: 'U' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: { a: 1 } }] },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'T' }] }],
      },
    ],
  })
  expect(fake.asked[0]).toMatchObject({
    round: 1,
    tools: [{ name: 'f', parameters: { type: 'object' } }],
    messages: [
      { role: 'system', text: 'S' },
      { role: 'user', text: 'U' },
      { role: 'assistant', calls: [{ id: 't', name: 'f', args: { a: 1 } }] },
      { role: 'tool', text: 'T', toolName: 'f', callId: 't' },
    ],
  })
})
