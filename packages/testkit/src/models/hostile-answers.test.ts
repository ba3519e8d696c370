import { expect, test } from 'vitest'
import { hostileAnswers } from './hostile-answers.ts'
import { hostileCalls } from './hostile-calls.ts'
import { requestOf, rows, start } from './observe.fixture.ts'
import type { Surface } from './turn.ts'

type Call = { id?: string; name?: string; args: string }
type Answer = { text: string; calls: Call[]; why: string; body: string }

async function ask(surface: Surface, name: string): Promise<Answer> {
  const server = await start(surface, name)
  const { path, headers, body } = requestOf(surface, true)
  const response = await fetch(server.url + path, { method: 'POST', headers, body })
  expect(response.status).toBe(200)
  return readers[surface](await response.text())
}

const data = (body: string) =>
  [...body.matchAll(/^data: (\{.*)$/gm)].map(([, json]) => JSON.parse(json ?? '') as Record<string, unknown>)

const readers: Record<Surface, (body: string) => Answer> = {
  ollama(body) {
    const lines = body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const messages = lines.map((line) => line['message'] as OllamaMessage)
    const calls = messages.flatMap(({ tool_calls = [] }) => tool_calls)
    // As it was written: some of it could not be written again.
    const written = [...body.matchAll(/"arguments":(.*)\}\}\]\},"done":false\}$/gm)]
    return {
      text: messages.map(({ content }) => content).join(''),
      calls: calls.map(({ id, function: { name } }, at) => ({
        ...(id === undefined ? {} : { id }),
        ...(name === undefined ? {} : { name }),
        args: unquoted(written[at]?.[1] ?? ''),
      })),
      why: String(lines.at(-1)?.['done_reason']),
      body,
    }
  },
  openai(body) {
    const choices = data(body).map((chunk) => (chunk['choices'] as OpenAiChoice[])[0])
    const calls: Call[] = []
    for (const part of choices.flatMap((choice) => choice?.delta.tool_calls ?? [])) {
      const call = (calls[part.index] ??= { args: '' })
      if (part.id !== undefined) call.id = part.id
      if (part.function.name !== undefined) call.name = part.function.name
      call.args += part.function.arguments
    }
    const text = choices.map((choice) => choice?.delta.content ?? '').join('')
    return { text, calls, why: choices.findLast((choice) => choice !== undefined)?.finish_reason ?? '', body }
  },
  anthropic(body) {
    const events = data(body) as unknown as AnthropicEvent[]
    const calls = new Map<number, Call>()
    let text = ''
    for (const { type, index = 0, content_block, delta } of events) {
      if (type === 'content_block_start' && content_block?.type === 'tool_use') {
        const { id, name } = content_block
        calls.set(index, {
          args: '',
          ...(id === undefined ? {} : { id }),
          ...(name === undefined ? {} : { name }),
        })
      }
      const call = calls.get(index)
      if (call !== undefined) call.args += delta?.partial_json ?? ''
      text += delta?.text ?? ''
    }
    const why = events.find(({ type }) => type === 'message_delta')?.delta?.stop_reason ?? ''
    return { text, calls: [...calls.values()], why, body }
  },
}

const unquoted = (json: string) => (json.startsWith('"') ? (JSON.parse(json) as string) : json)

type OllamaMessage = {
  content: string
  tool_calls?: { id?: string; function: { name?: string; arguments: unknown } }[]
}
type OpenAiChoice = {
  delta: {
    content?: string
    tool_calls?: { index: number; id?: string; function: { name?: string; arguments: string } }[]
  }
  finish_reason: string | null
}
type AnthropicEvent = {
  type: string
  index?: number
  content_block?: { type: string; id?: string; name?: string }
  delta?: { text?: string; partial_json?: string; stop_reason?: string }
}

const args = (pattern: RegExp) => (answer: Answer) => {
  expect(answer.calls[0]?.name).toBe('edit_file')
  expect(answer.calls[0]?.args).toMatch(pattern)
}
const says = (pattern: RegExp) => (answer: Answer) => expect(answer.text).toMatch(pattern)
const ends = (pattern: RegExp) => (answer: Answer) => expect(answer.why).toMatch(pattern)

const expectations: Record<string, (answer: Answer, surface: Surface) => void> = {
  'calls with arguments that are broken JSON': args(/unfinished$/),
  'calls with arguments that are no JSON': args(/^path=a\.txt$/),
  'calls with a list for arguments': args(/^\["a.txt"\]$/),
  'calls with null for arguments': args(/^null$/),
  'calls with no arguments at all': args(/^$/),
  'calls with JSON within JSON for arguments': ({ calls }, surface) =>
    expect(calls[0]?.args).toBe(surface === 'ollama' ? '{"path":"a.txt"}' : '"{\\"path\\":\\"a.txt\\"}"'),
  'calls with arguments of wrong types': args(/"path":7/),
  'calls a tool that nobody offered': ({ calls }) => expect(calls[0]?.name).toBe('launch_missiles'),
  'calls a tool whose name is a property of every object': ({ calls }) =>
    expect(calls.map(({ name }) => name)).toEqual(['constructor', '__proto__', 'toString']),
  'calls a tool with a name of 100 kB': ({ calls }) => expect(calls[0]?.name).toHaveLength(100_000),
  'calls twice with one id': ({ calls }) =>
    expect(calls.map(({ id }) => id)).toEqual(['call_same', 'call_same']),
  'calls without an id': ({ calls }) => expect(calls[0]).not.toHaveProperty('id'),
  'calls with an empty id': ({ calls }) => expect(calls[0]?.id).toBe(''),
  'calls without a name': ({ calls }) => expect(calls[0]).not.toHaveProperty('name'),
  'calls with an argument of 1 MB': ({ calls }) => expect(calls[0]?.args.length).toBeGreaterThan(1024 * 1024),
  'calls with arguments nested 10,000 deep': ({ calls }) =>
    expect(calls[0]?.args).toContain('['.repeat(10_000) + ']'.repeat(10_000)),
  'calls with keys that would change every object': args(/"__proto__":\{"polluted":true\}/),
  'calls with numbers that overflow': args(/1e999,/),
  'calls with one key twice': args(/"path":"a","path":"..\/b"/),
  'makes 200 calls at once': ({ calls }) => expect(calls).toHaveLength(200),
  'makes the same call for ever': args(/^\{"path":"a.txt"\}$/),
  'calls as text, and the text is cut in the middle of the call': says(/^<tool_call>\n.*"path": "a$/),
  'counts below zero': ({ body }) => expect(body).toMatch(/"\w*(tokens|count)":-\d+/),
  'counts more than there is': ({ body }) => expect(body).toMatch(/"\w*(tokens|count)":1\d*e\+308|1\.79/),
  'counts nothing': ({ body }) => expect(body).not.toMatch(/"(prompt_eval_count|prompt_tokens)":[1-9]/),
  'counts in words': ({ body }) => expect(body).toMatch(/"\w*(tokens|count)":"many"/),
  'answers nothing for ever': ({ text, calls }) => expect([text, calls]).toEqual(['', []]),
  'answers only blanks': says(/^\s+$/),
  'thinks and answers nothing': ({ text, body }) => {
    expect(text).toBe('')
    expect(body).toContain('Hm, ')
  },
  'repeats the prompt': says(/^Please answer\.$/),
  'repeats what a tool answered': says(/^$/),
  'plays a whole conversation with invented tool results': says(/<tool_response>[^]*all tests pass/),
  'quotes a call as an example': says(/`<tool_call>.*not_offered.*<\/tool_call>`/),
  'writes commands for a terminal': ({ text }) =>
    expect(text.includes(`${String.fromCharCode(27)}]52;c;`)).toBe(true),
  'writes characters that cannot be seen': ({ text }) => expect(text.includes('\u202Edcba')).toBe(true),
  'writes half a surrogate pair': ({ body }) => expect(body).toContain('\\ud83c'),
  'writes as a page and as a template': says(/<script>.*onerror/),
  'stops at its limit': ends(/^(length|max_tokens)$/),
  'declines to answer': ends(/^(content_filter|refusal)$/),
  'declines in the middle of an answer': ends(/^(content_filter|refusal)$/),
  'repeats one line a thousand times': ({ text }) => expect(text.split('\n')).toHaveLength(1001),
}

const all = [...hostileCalls, ...hostileAnswers]

test('every one has a row that says what it does', () => {
  expect(all.map(({ name }) => name).toSorted()).toEqual(Object.keys(expectations).toSorted())
})

test.each(rows(all))('what "%s" says is said on %s', async (name, surface) => {
  expectations[name]?.(await ask(surface, name), surface)
})
