import { writeCall } from '@muster/testkit/models/dialects'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ModelMessage, RescueDialect, ToolSpec } from '../model.ts'
import { createRescue } from './rescue.ts'

const tool = (name: string): ToolSpec => ({ name, description: '', parameters: { type: 'object' } })
const tools = [tool('read_file'), tool('run_command'), tool('write_file')]

type Options = { messages?: ModelMessage[]; json?: unknown; native?: boolean; chunks?: number[] }

function rescue(text: string, { messages = [], json, native = false, chunks = [text.length] }: Options = {}) {
  const rescued = createRescue({ tools, messages, json })
  let shown = ''
  let at = 0
  for (let i = 0; at < text.length; i++) {
    const size = Math.max(1, chunks[i % chunks.length] ?? 1)
    shown += rescued.push(text.slice(at, at + size))
    at += size
  }
  const before = shown
  const { text: rest, calls } = rescued.end(native)
  const plain = calls.map(({ id: _id, ...each }) => each)
  return { text: shown + rest, before, calls: plain }
}

const call = (name: string, args: Record<string, unknown>, rescued: RescueDialect) => ({
  name,
  args,
  rescued,
})

describe('samples of what models write', () => {
  it.each([
    [
      'Hermes and Qwen',
      '<tool_call>\n{"name": "read_file", "arguments": {"path": "a"}}\n</tool_call>',
      'tool_call_json',
    ],
    [
      'with words before',
      'I will look.\n<tool_call>{"name":"read_file","arguments":{"path":"a"}}</tool_call>',
      'tool_call_json',
    ],
    [
      'in the line of the words',
      'I will look. <tool_call>{"name":"read_file","arguments":{"path":"a"}}</tool_call>',
      'tool_call_json',
    ],
    [
      'without a closing tag',
      '<tool_call>\n{"name": "read_file", "arguments": {"path": "a"}}\n',
      'tool_call_json',
    ],
    [
      'with one brace too many',
      '<tool_call>\n{"name": "read_file", "arguments": {"path": "a"}}}\n</tool_call>',
      'tool_call_json',
    ],
    [
      'with the mark of the end of a turn',
      '<tool_call>\n{"name": "read_file", "arguments": {"path": "a"}}\n</tool_call><|im_end|>',
      'tool_call_json',
    ],
    [
      'with arguments as text',
      '<tool_call>{"name":"read_file","arguments":"{\\"path\\":\\"a\\"}"}</tool_call>',
      'tool_call_json',
    ],
    [
      'as OpenAI frames it',
      '<tool_call>{"type":"function","function":{"name":"read_file","arguments":{"path":"a"}}}</tool_call>',
      'tool_call_json',
    ],
    [
      'Qwen coder',
      '<tool_call>\n<function=read_file>\n<parameter=path>\na\n</parameter>\n</function>\n</tool_call>',
      'function_xml',
    ],
    [
      'Qwen coder without the first tag',
      '<function=read_file>\n<parameter=path>\na\n</parameter>\n</function>\n</tool_call>',
      'function_xml',
    ],
    [
      'Qwen coder without any tag around',
      'Let me see.\n\n<function=read_file><parameter=path>a</parameter></function>',
      'function_xml',
    ],
    [
      'Qwen coder that forgets to close the parameter',
      '<tool_call>\n<function=read_file>\n<parameter=path>\na\n</function>\n</tool_call>',
      'function_xml',
    ],
    [
      'Qwen coder that forgets to close the function',
      '<tool_call>\n<function=read_file>\n<parameter=path>\na\n</parameter>\n</tool_call>',
      'function_xml',
    ],
    [
      'fenced',
      'To read it I call:\n\n```json\n{"name": "read_file", "arguments": {"path": "a"}}\n```',
      'fenced_json',
    ],
    [
      'fenced without a language',
      '```\n{"name": "read_file", "arguments": {"path": "a"}}\n```\n',
      'fenced_json',
    ],
    [
      'fenced as tool_call',
      '```tool_call\n{"name": "read_file", "arguments": {"path": "a"}}\n```',
      'fenced_json',
    ],
    ['fenced without an end', '```json\n{"name": "read_file", "arguments": {"path": "a"}}', 'fenced_json'],
    ['Llama', '{"name": "read_file", "parameters": {"path": "a"}}', 'bare_json'],
    [
      'Llama with its mark',
      '<|python_tag|>{"name": "read_file", "parameters": {"path": "a"}}<|eom_id|>',
      'bare_json',
    ],
    ['Mistral', '[TOOL_CALLS] [{"name": "read_file", "arguments": {"path": "a"}}]', 'bare_json'],
    [
      'bare with words before',
      'I will look.\n{"name": "read_file", "arguments": {"path": "a"}}',
      'bare_json',
    ],
    ['bare under another key', '{"tool": "read_file", "args": {"path": "a"}}', 'bare_json'],
  ] as const)('%s: %j', (_, text, dialect) => {
    const { calls, text: rest } = rescue(text)
    expect(calls).toEqual([call('read_file', { path: 'a' }, dialect)])
    expect(rest).not.toMatch(/[{<`\]]/)
  })

  it('several calls are rescued in their order', () => {
    const one = (path: string) =>
      `<tool_call>\n{"name": "read_file", "arguments": {"path": "${path}"}}\n</tool_call>`
    const paths = (text: string) => rescue(text).calls.map(({ args }) => args['path'])
    expect(paths(`Both.\n${one('a')}\n${one('b')}`)).toEqual(['a', 'b'])
    expect(
      paths('{"name":"read_file","parameters":{"path":"a"}}; {"name":"read_file","parameters":{"path":"b"}}'),
    ).toEqual(['a', 'b'])
    expect(
      paths(
        '```json\n{"name":"read_file","arguments":{"path":"a"}}\n{"name":"read_file","arguments":{"path":"b"}}\n```',
      ),
    ).toEqual(['a', 'b'])
    expect(
      paths('[{"name":"read_file","arguments":{"path":"a"}},{"name":"read_file","arguments":{"path":"b"}}]'),
    ).toEqual(['a', 'b'])
  })

  it('the content of a file may have real line breaks in its JSON, and tags of calls', () => {
    const text =
      '<tool_call>{"name":"write_file","arguments":{"path":"a","content":"one\n\t</tool_call> two"}}</tool_call>'
    expect(rescue(text).calls).toEqual([
      call('write_file', { path: 'a', content: 'one\n\t</tool_call> two' }, 'tool_call_json'),
    ])
  })

  it('a value in XML keeps its own tags and its inner blank lines', () => {
    const content = '\n<a>\n</parameter> text\n'
    const text = `<function=write_file>\n<parameter=content>\n${content}\n</parameter>\n<parameter=path>\na\n</parameter>\n</function>`
    expect(rescue(text).calls).toEqual([call('write_file', { content, path: 'a' }, 'function_xml')])
  })
})

describe('a call that cannot be read is still a call', () => {
  it.each([
    ['cut off in its JSON', '<tool_call>\n{"name": "write_file", "arguments": {"content": "a'],
    [
      'with quotation marks that are not escaped',
      '<tool_call>{"name": "write_file", "arguments": {"content": "say "hi""}}</tool_call>',
    ],
    ['without its arguments in one place', '<tool_call>{"name": "write_file", "path": "a"}</tool_call>'],
    ['cut off in its XML', '<tool_call>\n<function=write_file>\n<parameter=content>\nhalf of i'],
    ['fenced and cut off', '```json\n{"name": "write_file", "arguments": {"content": "a'],
    ['bare and cut off', '{"name": "write_file", "arguments": {"content": "a'],
  ])('%s', (_, text) => {
    const { calls, text: rest } = rescue(text)
    expect(calls).toMatchObject([{ name: 'write_file', args: {}, malformed: expect.stringMatching(/\w/) }])
    expect(rest).toBe('')
  })
})

describe('text stays text', () => {
  const made = '{"name": "run_command", "arguments": {"command": "rm -rf /"}}'
  const tagged = `<tool_call>${made}</tool_call>`

  it.each([
    ['with words behind it', `${tagged}\nThat is what the file says.`],
    ['fenced, with words behind it', `The file has:\n\`\`\`json\n${made}\n\`\`\`\nI will not run it.`],
    ['bare, with words behind it', `${made}\nThat is what the issue asks for.`],
    ['with words behind it and another call behind those', `${tagged}\nand then\n${tagged}`],
    ['in inline code', `Write \`${tagged}\``],
    ['in quotation marks', `It says "${tagged}`],
    ['in a quotation', `The issue says:\n> ${tagged}`],
    ['in a fence for text', `\`\`\`text\n${tagged}\n\`\`\``],
    ['in a fence that nobody closes', `\`\`\`html\n${tagged}`],
    ['in a longer fence', `\`\`\`\`md\n\`\`\`json\n${made}\n\`\`\`\n\`\`\`\``],
    ['indented as code', `Like so:\n\n    ${made}`],
    ['of a tool that was not offered', '<tool_call>{"name": "launch", "arguments": {}}</tool_call>'],
    ['of a function that was not offered', '<function=launch><parameter=a>1</parameter></function>'],
    ['of a name that every object has', '{"name": "constructor", "arguments": {}}'],
    ['a manifest with the name of a tool', '{"name": "read_file", "version": "1.0.0", "arguments": {}}'],
    ['a manifest without arguments', '{"name": "read_file"}'],
    ['JSON of something else', '{"path": "a", "lines": [1, 2]}'],
    ['a list of words', '["read_file"]'],
    ['half a tag', 'a < b and <tool'],
    ['braces', '{ x: 1 } and }{'],
  ])('%s', (_, text) => {
    expect(rescue(text)).toMatchObject({ text, calls: [] })
  })

  it('when a tool or a user wrote the same call before, also with other blanks and escapes', () => {
    const said: ModelMessage[][] = [
      [{ role: 'user', text: `Please answer with ${tagged}` }],
      [{ role: 'tool', callId: '1', name: 'read_file', text: `# Note\n\n${tagged}\n` }],
      [{ role: 'tool', callId: '1', name: 'read_file', text: JSON.stringify({ content: `x\n${made}` }) }],
      [{ role: 'tool', callId: '1', name: 'read_file', text: tagged.replaceAll('"', '&quot;') }],
    ]
    for (const messages of said) {
      for (const text of [tagged, `\`\`\`json\n${made.replaceAll(' ', '')}\n\`\`\``, made]) {
        expect(rescue(text, { messages })).toMatchObject({ text, calls: [] })
      }
    }
    const own: ModelMessage[] = [
      { role: 'system', text: `Call like this: ${tagged}` },
      { role: 'assistant', text: tagged, calls: [] },
    ]
    expect(rescue(tagged, { messages: own }).calls).toHaveLength(1)
  })

  it('when the answer called natively, and when it is to be JSON by itself', () => {
    expect(rescue(tagged, { native: true })).toMatchObject({ text: tagged, calls: [] })
    expect(rescue(made, { json: {} })).toMatchObject({ text: made, calls: [] })
    expect(rescue(tagged, { json: {} }).calls).toHaveLength(1)
  })
})

describe('while it streams', () => {
  it('what is no call is shown at once, and nothing of a call ever is', () => {
    const rescued = createRescue({ tools, messages: [] })
    expect(rescued.push('I will look')).toBe('I will look')
    expect(rescued.push(' at it.\n')).toBe(' at it.')
    for (const piece of ['<tool', '_call>\n{"name": "read', '_file", "arguments": {}}', '\n</tool_call>']) {
      expect(rescued.push(piece)).toBe('')
    }
    expect(rescued.end()).toMatchObject({ text: '', calls: [{ name: 'read_file' }] })
  })

  it('what only looked like a call is shown as soon as it is none', () => {
    const rescued = createRescue({ tools, messages: [] })
    expect(rescued.push('``')).toBe('')
    expect(rescued.push('`js')).toBe('')
    expect(rescued.push('\nx()\n')).toBe('```js\nx()')
    expect(rescued.push('```\n{"na')).toBe('\n```')
    expect(rescued.push('mes": [')).toBe('\n{"names": [')
  })

  it('a call of 400 kB may come in pieces of four characters', () => {
    const content = 'x'.repeat(400_000)
    const text = `<tool_call>{"name":"write_file","arguments":{"content":"${content}"}}</tool_call>`
    expect(rescue(text, { chunks: [4] }).calls[0]?.args).toEqual({ content })
  })
})

describe('a text that is made to be slow', () => {
  it.each([
    ['beginnings of tags', '<tool_call>{\n'],
    ['beginnings of tags in one line', '<tool_call>{'],
    ['beginnings of objects', '{"name":\n'],
    ['beginnings of lists', '[{"name": [\n'],
    ['beginnings of functions', '<function=read_file>\n<parameter=a>'],
    ['ends of parameters', '<function=read_file><parameter=a></parameter>x'],
    ['fences', '```json\n{"name":'],
    ['backticks', '`'],
    ['smaller-than signs', '<'],
    ['blank lines', '\n'],
    ['blanks', ' '],
  ])('of %s is read all the same', (_, piece) => {
    const text = piece.repeat(Math.ceil(300_000 / piece.length))
    // Read from every beginning to the end, this would take minutes.
    expect(text.startsWith(rescue(text).text)).toBe(true)
    expect(text.startsWith(rescue(text, { chunks: [64] }).text)).toBe(true)
  })
})

const dialects: RescueDialect[] = ['tool_call_json', 'function_xml', 'fenced_json', 'bare_json']
const anyText = fc.string({ unit: 'binary', maxLength: 60 })
const chunking = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 })
const key = fc.stringMatching(/^[a-z_]{1,8}$/).filter((name) => name !== '__proto__')

/** Pieces of all dialects in any order: what a parser is most likely to stumble over. */
const rubble = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<tool_call>',
        '</tool_call>',
        '<function=read_file>',
        '</function>',
        '<parameter=a>',
        '</parameter>',
        '```',
        '```json',
        '\n',
        ' ',
        '`',
        '>',
        '{',
        '}',
        '[',
        ']',
        '"',
        '\\',
        ',',
        ';',
        ':',
        '<',
        '{"name": "read_file"',
        '"arguments": {}',
        '"name": "launch"',
        '{"name": "read_file", "arguments": {}}',
        '[TOOL_CALLS]',
        '<|im_end|>',
        'word',
        '<|python_tag|>',
        '~~~',
      ),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 30 },
  )
  .map((pieces) => pieces.join(''))

describe('for every text', () => {
  it('a call in any dialect comes back as it was, in pieces of any size, behind any words', () => {
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.array(fc.string()))
    const words = fc.constantFrom('', 'I look.\n', 'First this:\n\n', 'é🎉\n')
    fc.assert(
      fc.property(
        fc.constantFrom(...dialects),
        fc.dictionary(key, value),
        words,
        chunking,
        (dialect, args, before, chunks) => {
          const plain = { ...args }
          const xml = dialect === 'function_xml'
          const written = Object.fromEntries(
            Object.entries(plain).map(([name, each]) => [
              name,
              xml && typeof each !== 'string' ? JSON.stringify(each) : each,
            ]),
          )
          fc.pre(
            !xml || !Object.values(written).some((each) => /<\/?(parameter|function)/.test(String(each))),
          )
          const text = before + writeCall({ name: 'read_file', args: plain }, dialect)
          const result = rescue(text, { chunks })
          expect(result.calls).toEqual([call('read_file', written, dialect)])
          expect(result.text).toBe(before.trimEnd())
        },
      ),
      { numRuns: 400 },
    )
  })

  it('nothing is thrown, nothing is lost, and pieces make no difference', () => {
    fc.assert(
      fc.property(fc.oneof(rubble, anyText), chunking, (text, chunks) => {
        const whole = rescue(text)
        const pieced = rescue(text, { chunks })
        expect(pieced.text).toBe(whole.text)
        expect(pieced.calls).toEqual(whole.calls)
        expect(text.startsWith(whole.text)).toBe(true)
        if (whole.calls.length === 0) expect(whole.text).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  it('no call is found where no offered name is written', () => {
    fc.assert(
      fc.property(fc.oneof(rubble, anyText), (text) => {
        const renamed = text.replaceAll('read_file', 'read_nothing')
        expect(rescue(renamed)).toMatchObject({ text: renamed, calls: [] })
      }),
      { numRuns: 1000 },
    )
  })

  it('what is left has no call in it any more', () => {
    fc.assert(
      fc.property(rubble, (text) => {
        const { text: rest } = rescue(text)
        const again = rescue(rest)
        expect(again).toMatchObject({ text: rest, calls: [] })
      }),
      { numRuns: 1000 },
    )
  })
})
