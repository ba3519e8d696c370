import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { usageReader } from './usage.ts'

const sse = (...values: object[]) => values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join('')

test.each<[string, Parameters<typeof usageReader>[0], string, object | null]>([
  [
    'OpenAI’s stream',
    'openai_chat',
    sse(
      { choices: [] },
      { usage: { prompt_tokens: 7, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 2 } } },
    ),
    { inputTokens: 7, outputTokens: 3, cacheReadTokens: 2 },
  ],
  [
    'a whole answer',
    'openai_chat',
    JSON.stringify({ usage: { prompt_tokens: 7, completion_tokens: 3 } }),
    { inputTokens: 7 },
  ],
  [
    'OpenAI’s responses',
    'openai_responses',
    sse({ type: 'response.completed', response: { usage: { input_tokens: 5, output_tokens: 6 } } }),
    { inputTokens: 5, outputTokens: 6 },
  ],
  [
    'Anthropic’s stream, in two parts, with what the cache gave',
    'anthropic',
    sse(
      {
        type: 'message_start',
        message: { usage: { input_tokens: 4, cache_read_input_tokens: 6, output_tokens: 1 } },
      },
      { type: 'message_delta', usage: { output_tokens: 9 } },
    ),
    { inputTokens: 10, outputTokens: 9, cacheReadTokens: 6 },
  ],
  [
    'Ollama’s last line, without a counter of zero',
    'ollama',
    '{"done":false}\n{"done":true,"eval_count":4}\n',
    { inputTokens: 0, outputTokens: 4 },
  ],
  ['a stream that never says', 'openai_chat', sse({ choices: [] }), null],
  [
    'counters that are none',
    'openai_chat',
    sse({ usage: { prompt_tokens: -1, completion_tokens: 'many' } }),
    null,
  ],
  ['a line that is cut', 'ollama', '{"done":true,"eval_count":', null],
])('of %s', (_, protocol, text, expected) => {
  const reader = usageReader(protocol)
  reader.push(text)
  const found = reader.end()
  if (expected === null) expect(found).toBeNull()
  else expect(found).toMatchObject(expected)
})

test('where a stream is cut into pieces makes no difference', () => {
  const text = sse({ choices: [] }, { usage: { prompt_tokens: 7, completion_tokens: 3 } })
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      const reader = usageReader('openai_chat')
      const at = [0, ...cuts.toSorted((a, b) => a - b), text.length]
      for (const [n, start] of at.slice(0, -1).entries()) reader.push(text.slice(start, at[n + 1]))
      expect(reader.end()).toMatchObject({ inputTokens: 7, outputTokens: 3 })
    }),
  )
})
