import { describe, expect, it } from 'vitest'
import { readPracticeScript } from './practice-script.ts'

const problem = (text: string): string => {
  const read = readPracticeScript(text)
  return 'problem' in read ? read.problem : `read: ${JSON.stringify(read.script)}`
}

describe('a practice script', () => {
  it('is read as it is written', () => {
    const script = {
      name: 'fix-greeting',
      turns: [
        { say: 'I look.', calls: [{ tool: 'read_file', args: { path: 'a.js' } }] },
        { fail: 'quota', resetMs: 1000 },
        { waitMs: 5, calls: [] },
      ],
    }
    expect(readPracticeScript(JSON.stringify(script))).toEqual({ script })
  })

  it.each([
    ['', /^line 1: not JSON/],
    ['{\n "turns": [\n  { "say": nonsense }\n ]\n}', /^line 3: not JSON/],
    ['{ "turns": [', /^line 1: not JSON/],
    ['[]', 'the script: must be an object'],
    ['{}', 'turns: is missing'],
    ['{ "turns": {} }', 'turns: must be a list'],
    ['{ "turns": [] }', 'turns: needs at least one turn'],
    ['{ "turns": [{ "waitMs": 5 }] }', 'turns[0]: needs one of say, calls and fail'],
    ['{ "turns": [{ "say": "" }], "turnz": 1 }', 'turnz: is unknown; there are name, turns'],
    ['{ "name": "a b", "turns": [] }', /^name: must be 1 to 64/],
    ['{ "turns": [{ "say": "" }, 5] }', 'turns[1]: must be an object'],
    ['{ "turns": [{ "say": 5 }] }', 'turns[0].say: must be a string'],
    ['{ "turns": [{ "calls": [{ "tool": "a" }] }] }', 'turns[0].calls[0].args: is missing'],
    [
      '{ "turns": [{ "calls": [{ "tool": "a", "args": [] }] }] }',
      'turns[0].calls[0].args: must be an object',
    ],
    ['{ "turns": [{ "calls": [{ "tool": "", "args": {} }] }] }', /^turns\[0\]\.calls\[0\]\.tool: must be 1/],
    ['{ "turns": [{ "fail": "aborted" }] }', /^turns\[0\]\.fail: must be one of unavailable, busy/],
    ['{ "turns": [{ "waitMs": -1 }] }', /^turns\[0\]\.waitMs: must be whole milliseconds/],
    ['{ "turns": [{ "__proto__": 1 }] }', /^turns\[0\]\.__proto__: is unknown/],
  ])('%s is refused with the place', (text, expected) => {
    const found = problem(text)
    if (typeof expected === 'string') expect(found).toBe(expected)
    else expect(found).toMatch(expected)
  })

  it('of more than a megabyte is not even parsed', () => {
    expect(problem(`{"turns":[${' '.repeat(2 ** 20)}]}`)).toMatch(/longer than/)
  })
})
