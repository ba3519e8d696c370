import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkArguments } from './arguments.ts'
import { tools } from './specs.ts'

const taken: [string, string, Record<string, unknown>, Record<string, unknown>][] = [
  ['as it should be', 'read_file', { path: 'a', start_line: 2 }, { path: 'a', start_line: 2 }],
  ['numbers as text', 'read_file', { path: 'a', start_line: ' 2' }, { path: 'a', start_line: 2 }],
  ['whole numbers with a point', 'read_file', { path: 'a', end_line: '3.0' }, { path: 'a', end_line: 3 }],
  [
    'true as text',
    'edit_file',
    { path: 'a', old: 'x', new: 'y', all: 'True' },
    { path: 'a', old: 'x', new: 'y', all: true },
  ],
  ['a number for a text', 'write_file', { path: 'a', content: 12 }, { path: 'a', content: '12' }],
  [
    'a JSON file as an object',
    'write_file',
    { path: 'a.json', content: { a: 1 } },
    { path: 'a.json', content: '{\n  "a": 1\n}\n' },
  ],
  ['null for what is not given', 'list_directory', { path: null, depth: null }, {}],
  ['an empty text', 'write_file', { path: 'a', content: '' }, { path: 'a', content: '' }],
  [
    'names that other agents use',
    'edit_file',
    { file_path: 'a', old_string: 'x', new_string: 'y' },
    { path: 'a', old: 'x', new: 'y' },
  ],
  ['another name for the command', 'run_command', { cmd: 'ls', timeout: 5 }, { command: 'ls', timeout_s: 5 }],
  ['arguments in a field of their own', 'run_command', { arguments: { command: 'ls' } }, { command: 'ls' }],
]

test.each(taken)('%s are taken', (_, name, given, args) => {
  expect(checkArguments(name, given)).toEqual({ ok: true, name, args })
})

const refused: [string, string, Record<string, unknown>, RegExp][] = [
  [
    'a tool that is not there',
    'bash',
    { command: 'ls' },
    /no tool "bash".*run_command\?.*read_file, write_file/,
  ],
  ['a tool with a slip', 'read_fle', {}, /Did you mean read_file\?/],
  ['a tool like no other', 'fly', {}, /no tool "fly"\. The tools/],
  ['a name of every object', 'constructor', {}, /no tool "constructor"/],
  ['nothing', 'write_file', {}, /"path" is missing \(string\); "content" is missing/],
  [
    'an unknown field',
    'read_file',
    { path: 'a', encoding: 'utf8' },
    /"encoding" is not an argument of it\. It takes \{ path: string, start_line\?: integer/,
  ],
  [
    'a field with a slip',
    'read_file',
    { path: 'a', start_lin: 1 },
    /"start_lin" is not an argument of it, did you mean "start_line"\?/,
  ],
  ['a field twice', 'read_file', { path: 'a', file_path: 'b' }, /"file_path".*did you mean "path"/],
  [
    'a name of every object as field',
    'read_file',
    { path: 'a', constructor: 1 },
    /"constructor" is not an argument/,
  ],
  ['a list for a text', 'run_command', { command: ['ls', '-l'] }, /"command" must be a string, not a list/],
  ['an object for a text', 'read_file', { path: { name: 'a' } }, /"path" must be a string, not an object/],
  [
    'a text for a number',
    'read_file',
    { path: 'a', start_line: 'two' },
    /"start_line" must be a whole number, not string "two"/,
  ],
  ['half a line', 'read_file', { path: 'a', start_line: 1.5 }, /must be a whole number, not number 1\.5/],
  ['line zero', 'read_file', { path: 'a', start_line: 0 }, /"start_line" must be at least 1, not 0/],
  ['too deep', 'list_directory', { depth: 6 }, /"depth" must be at most 5, not 6/],
  [
    'a text for a truth',
    'edit_file',
    { path: 'a', old: 'x', new: 'y', all: 'maybe' },
    /"all" must be true or false/,
  ],
]

test.each(refused)('%s is refused in words that help', (_, name, given, words) => {
  const checked = checkArguments(name, given)
  expect(checked.ok).toBe(false)
  expect(checked).toMatchObject({ error: expect.stringMatching(words) as string })
})

test('whatever a model sends, the answer is one or the other, and what is taken is of the right kind', () => {
  const name = fc.oneof(fc.constantFrom(...Object.keys(tools)), fc.string())
  fc.assert(
    fc.property(
      name,
      fc.dictionary(
        fc.oneof(fc.constantFrom('path', 'content', 'depth', 'all', '__proto__'), fc.string()),
        fc.jsonValue(),
      ),
      (name, given) => {
        const checked = checkArguments(name, given as Record<string, unknown>)
        if (!checked.ok) {
          expect(checked.error.length).toBeLessThan(1_500)
          return
        }
        for (const [field, value] of Object.entries(checked.args)) {
          const type = tools[checked.name].fields[field]?.type
          expect(typeof value).toBe(type === 'integer' ? 'number' : type)
        }
      },
    ),
  )
})
