import { expect, onTestFinished, test } from 'vitest'
import { type FakeOpenAiOptions, startFakeOpenAi } from './fake-openai.ts'

async function start(options: FakeOpenAiOptions = {}) {
  const fake = await startFakeOpenAi(options)
  onTestFinished(fake.close)
  const post = (body: object, path = '/v1/chat/completions', headers: Record<string, string> = {}) =>
    fetch(fake.url + path, { method: 'POST', body: JSON.stringify({ model: 'gpt-fake', ...body }), headers })
  return { fake, post }
}

/** The data of each event, the last mark as it stands. */
async function events(response: Response): Promise<Record<string, unknown>[]> {
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  const blocks = (await response.text()).split('\n\n')
  expect(blocks.pop()).toBe('')
  return blocks.map((block) => {
    const data = /^data: (.*)$/m.exec(block)?.[1] ?? ''
    return data === '[DONE]' ? { data } : (JSON.parse(data) as Record<string, unknown>)
  })
}

type Choice = { delta: { content?: string; tool_calls?: ToolPart[] }; finish_reason: string | null }
type ToolPart = { index: number; id?: string; function: { name?: string; arguments: string } }

const hello = { messages: [{ role: 'user', content: 'Hello' }] }

test('a stream says the role, then deltas, then the calls with their arguments in parts, then why, then [DONE]', async () => {
  const args = { path: 'a.txt', content: 'é🎉 long enough for several parts' }
  const { post } = await start({
    turns: { text: 'Let me see', calls: [{ name: 'write', args, id: 'call_1' }] },
  })
  const chunks = await events(await post({ stream: true, stream_options: { include_usage: true }, ...hello }))
  expect(chunks.at(-1)).toEqual({ data: '[DONE]' })
  const counted = chunks.at(-2)
  expect(counted).toMatchObject({ choices: [], usage: { prompt_tokens: expect.any(Number) } })
  const choices = chunks.slice(0, -2).map((chunk) => (chunk['choices'] as Choice[])[0])
  expect(choices[0]?.delta).toEqual({ role: 'assistant', content: '' })
  expect(choices.map((choice) => choice?.delta.content ?? '').join('')).toBe('Let me see')
  const parts = choices.flatMap((choice) => choice?.delta.tool_calls ?? [])
  expect(parts[0]).toMatchObject({ index: 0, id: 'call_1', function: { name: 'write', arguments: '' } })
  expect(parts.length).toBeGreaterThan(3)
  expect(parts[1]).toEqual({ index: 0, function: { arguments: expect.any(String) } })
  expect(JSON.parse(parts.map((part) => part.function.arguments).join(''))).toEqual(args)
  expect(choices.at(-1)).toMatchObject({ delta: {}, finish_reason: 'tool_calls' })
})

test('a stream that was not asked to count does not', async () => {
  const { post } = await start()
  const chunks = await events(await post({ stream: true, ...hello }))
  expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false)
})

test('without a stream the arguments are text and an answer of calls alone has no content', async () => {
  const { post } = await start({ turns: { calls: [{ name: 'f', args: { a: 1 } }] } })
  expect(await (await post(hello)).json()).toMatchObject({
    object: 'chat.completion',
    choices: [
      {
        message: {
          role: 'assistant',
          content: null,
          tool_calls: [{ type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
        },
        finish_reason: 'tool_calls',
      },
    ],
  })
})

test.each([
  ['an unknown model', { model: 'none', ...hello }, 404, 'model_not_found'],
  ['no messages', {}, 400, null],
  [
    'a call that nobody answered',
    {
      messages: [
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', function: { name: 'f', arguments: '' } }],
        },
        { role: 'user', content: 'x' },
      ],
    },
    400,
    null,
  ],
  ['an answer to no call', { messages: [{ role: 'tool', tool_call_id: 'c', content: 'x' }] }, 400, null],
])('%s is refused', async (_, body, status, code) => {
  const { post } = await start()
  const response = await post(body)
  expect(response.status).toBe(status)
  expect(await response.json()).toEqual({
    error: { message: expect.any(String), type: 'invalid_request_error', param: null, code },
  })
})

test('a wrong key is refused with 401, and a right one is not', async () => {
  const { fake, post } = await start({ apiKey: 'right' })
  const refused = await post(hello, '/v1/chat/completions', { authorization: 'Bearer wrong' })
  expect([refused.status, ((await refused.json()) as { error: { code: string } }).error.code]).toEqual([
    401,
    'invalid_api_key',
  ])
  const listed = await fetch(`${fake.url}/v1/models`, { headers: { authorization: 'Bearer right' } })
  expect(await listed.json()).toMatchObject({ object: 'list', data: [{ id: 'gpt-fake', object: 'model' }] })
})

test('the Responses API streams items that open and close, and counts in the end', async () => {
  const { post } = await start({
    turns: { text: 'Hi there', calls: [{ name: 'f', args: { a: 1 }, id: 'c1' }] },
  })
  const written = await events(await post({ input: 'Hello', stream: true }, '/v1/responses'))
  const types = written.map((event) => String(event['type']))
  expect(types[0]).toBe('response.created')
  expect(types.at(-1)).toBe('response.completed')
  expect(types.filter((type) => type === 'response.output_item.done')).toHaveLength(2)
  expect(written.map((event) => event['sequence_number'])).toEqual(written.map((_, at) => at))
  expect(written.at(-1)).toMatchObject({
    response: {
      status: 'completed',
      output: [
        { type: 'message', content: [{ type: 'output_text', text: 'Hi there' }] },
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{"a":1}' },
      ],
    },
  })
  const whole = await post({ input: [{ role: 'user', content: 'Hello' }] }, '/v1/responses')
  expect(await whole.json()).toMatchObject({ object: 'response', output: [{ type: 'message' }, {}] })
})

test('a script sees the messages of every form, the tools and who answered which call', async () => {
  const { fake, post } = await start()
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }
  await post({
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    messages: [
      { role: 'developer', content: 'S' },
      { role: 'user', content: [{ type: 'text', text: 'U' }] },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: 'T' },
    ],
  })
  expect(fake.asked[0]).toMatchObject({
    round: 1,
    tools: [{ name: 'f', parameters: { type: 'object' } }],
    messages: [
      { role: 'system', text: 'S' },
      { role: 'user', text: 'U' },
      { role: 'assistant', text: '', calls: [{ id: 'c', name: 'f', args: { a: 1 } }] },
      { role: 'tool', text: 'T', toolName: 'f', callId: 'c' },
    ],
  })
})
