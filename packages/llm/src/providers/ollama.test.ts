import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { ModelEvent, ModelRequest } from '../model.ts'
import { createModel } from './create-model.ts'

type Handle = (request: IncomingMessage, body: string, response: ServerResponse) => void

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function serve(handle: Handle): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    handle(request, body, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function ask(baseUrl: string, more: Partial<ModelRequest> & { apiKey?: string } = {}) {
  const { apiKey, ...request } = more
  const model = createModel({
    provider: 'ollama',
    baseUrl,
    name: 'qwen3:8b',
    contextTokens: 8192,
    ...(apiKey !== undefined && { apiKey }),
  })
  const events: ModelEvent[] = []
  const full: ModelRequest = {
    messages: [{ role: 'user', text: 'hello' }],
    tools: [],
    signal: new AbortController().signal,
    ...request,
  }
  for await (const event of model.ask(full)) events.push(event)
  const last = events.at(-1)
  if (last?.type !== 'end') throw new Error('no end')
  return { events, end: last.end }
}

const lines = (...chunks: unknown[]): string => chunks.map((chunk) => `${JSON.stringify(chunk)}\n`).join('')
const delta = (message: Record<string, unknown>) => ({
  message: { role: 'assistant', content: '', ...message },
  done: false,
})
const done = {
  message: { role: 'assistant', content: '' },
  done: true,
  done_reason: 'stop',
  prompt_eval_count: 9,
  eval_count: 4,
}

const answer = (...chunks: unknown[]) => serve((_, __, response) => response.end(lines(...chunks)))

describe('the wire of Ollama', () => {
  it('is asked for the whole context, for tools as functions, and never to cut the prompt', async () => {
    let seen = ''
    const url = await serve((_, body, response) => {
      seen = body
      response.end(lines(done))
    })
    await ask(url, {
      messages: [
        { role: 'system', text: 's' },
        { role: 'user', text: 'u' },
        { role: 'assistant', text: '', calls: [{ id: 'call_1', name: 'read', args: { path: 'a' } }] },
        { role: 'tool', callId: 'call_1', name: 'read', text: 'content' },
      ],
      tools: [{ name: 'read', description: 'reads', parameters: { type: 'object' } }],
      maxOutputTokens: 100,
      temperature: 0,
      seed: 7,
    })
    expect(JSON.parse(seen)).toEqual({
      model: 'qwen3:8b',
      messages: [
        { role: 'system', content: 's' },
        { role: 'user', content: 'u' },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ id: 'call_1', function: { name: 'read', arguments: { path: 'a' } } }],
        },
        { role: 'tool', content: 'content', tool_name: 'read', tool_call_id: 'call_1' },
      ],
      tools: [
        {
          type: 'function',
          function: { name: 'read', description: 'reads', parameters: { type: 'object' } },
        },
      ],
      stream: true,
      truncate: false,
      shift: false,
      options: { num_ctx: 8192, num_predict: 100, temperature: 0, seed: 7 },
    })
  })

  it('gives thinking, text, calls with objects or strings as arguments and no ids, and what was counted', async () => {
    const url = await answer(
      delta({ thinking: 'hm' }),
      delta({ content: 'I ' }),
      delta({ content: 'read.' }),
      delta({ tool_calls: [{ function: { name: 'read', arguments: { path: 'a' } } }] }),
      delta({ tool_calls: [{ id: 'x', function: { name: 'read', arguments: '{"path":"b"}' } }] }),
      done,
    )
    const { events, end } = await ask(url)
    expect(events.slice(0, 3)).toEqual([
      { type: 'thinking', text: 'hm' },
      { type: 'text', text: 'I ' },
      { type: 'text', text: 'read.' },
    ])
    expect(end).toEqual({
      ok: true,
      text: 'I read.',
      why: 'stop',
      calls: [
        { id: expect.stringMatching(/^call_/), name: 'read', args: { path: 'a' } },
        { id: 'x', name: 'read', args: { path: 'b' } },
      ],
      usage: { inputTokens: 9, outputTokens: 4, cacheReadTokens: 0, cacheWriteTokens: 0, estimated: false },
    })
  })

  it('is cut off when an error comes as a line under status 200 after the first words', async () => {
    const { end } = await ask(await answer(delta({ content: 'I ' }), { error: 'runner died' }))
    expect(end).toMatchObject({ ok: false, failure: { class: 'cut_off', message: /runner died/ } })
  })

  it('is busy or unavailable when that line is the first', async () => {
    const busy = await ask(await answer({ error: 'server busy, please try again.' }))
    expect(busy.end).toMatchObject({ failure: { class: 'busy' }, usage: { inputTokens: 0 } })
    const broken = await ask(await answer({ error: 'out of memory' }))
    expect(broken.end).toMatchObject({ failure: { class: 'unavailable' } })
  })

  it('is cut off when the stream ends without done', async () => {
    const { end } = await ask(await answer(delta({ content: 'all of it' })))
    expect(end).toMatchObject({ ok: false, failure: { class: 'cut_off' } })
  })

  it('does not repeat the key that it was sent, whatever the server says', async () => {
    const url = await serve((request, _, response) => {
      response.writeHead(401, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: `bad key: ${request.headers.authorization}` }))
    })
    const { end } = await ask(url, { apiKey: 'secret-key-1' })
    expect(end).toMatchObject({ failure: { class: 'invalid_request', status: 401, message: /bad key/ } })
    expect(JSON.stringify(end)).not.toMatch(/secret-key-1/)
  })

  it('closes the connection when it is aborted', async () => {
    const closed = Promise.withResolvers<void>()
    const caller = new AbortController()
    const url = await serve((_, __, response) => {
      response.on('close', closed.resolve)
      response.write(lines(delta({ content: 'I ' })))
      caller.abort()
    })
    const { end } = await ask(url, { signal: caller.signal })
    expect(end).toMatchObject({ failure: { class: 'aborted' } })
    await closed.promise
  })
})
