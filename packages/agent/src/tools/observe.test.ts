import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readAnswer, splitLines } from './answer-lines.ts'
import { readCheckpoint } from './checkpoint.ts'
import { observe } from './observe.ts'
import { tools, type ToolName } from './specs.ts'
import { trimObservation } from './trim.ts'

const names = Object.keys(tools) as ToolName[]

test.each([
  ['no JSON', 'junk'],
  ['a list', '[]'],
  ['null', 'null'],
  ['no id', '{"success":true}'],
  ['success as text', '{"id":"a","success":"true"}'],
  ['fields as a list', '{"id":"a","success":true,"fields":[]}'],
  ['a code that is no code', '{"id":"a","success":false,"code":"no such"}'],
  ['an error that is no text', '{"id":"a","success":false,"code":"X","error":{}}'],
])('a line with %s is no answer', (_, line) => {
  expect(readAnswer(line)).toBeUndefined()
})

test('a field of the wrong kind is an observation with a code, and an unknown field is left out', () => {
  const answer = (fields: Record<string, unknown>, success = true) => ({
    kind: 'answer' as const,
    answer: { id: 'a', success, code: undefined, error: undefined, fields },
  })
  expect(observe('read_file', answer({ content: 7 }))).toMatchObject({
    success: false,
    code: 'TOOL_ANSWER_INVALID',
  })
  expect(observe('search_files', answer({ hits: [{ path: 'a', line: 1 }] }))).toMatchObject({
    code: 'TOOL_ANSWER_INVALID',
  })
  expect(observe('read_file', answer({}, false))).toMatchObject({ code: 'TOOL_ANSWER_INVALID' })
  expect(observe('read_file', answer({ content: 'a', changed: true, evil: 1 }))).toEqual({
    success: true,
    content: 'a',
  })
})

test('whatever comes out of the wall, there is an observation, and it keeps its bound', () => {
  const fields = fc.dictionary(
    fc.constantFrom(
      'content',
      'stdout',
      'entries',
      'hits',
      'exit_code',
      'timed_out',
      'path',
      'state',
      'commit',
      'bundle',
      'changed',
      '__proto__',
    ),
    fc.oneof(fc.jsonValue(), fc.string({ maxLength: 9_000, size: 'max' }), fc.array(fc.string())),
  )
  const line = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({ id: fc.string(), success: fc.boolean(), fields }, { requiredKeys: [] })
      .map((value) => JSON.stringify(value)),
  )
  fc.assert(
    fc.property(line, fc.constantFrom(...names), (line, name) => {
      const answer = readAnswer(line)
      if (answer === undefined) return
      const reply = { kind: 'answer' as const, answer }
      const observation = trimObservation(observe(name, reply), 2_000)
      expect(typeof observation.success).toBe('boolean')
      if (!observation.success) expect(typeof observation.code).toBe('string')
      expect(JSON.stringify(observation).length).toBeLessThanOrEqual(2_000)
      const checkpoint = readCheckpoint(reply)
      expect(checkpoint.commit ?? 'a'.repeat(40)).toMatch(/^[0-9a-f]{40}$/)
    }),
  )
})

test('bytes become the same lines however they are cut', () => {
  const text = fc.array(
    fc.string({ unit: 'grapheme', maxLength: 20 }).map((line) => line.replaceAll('\n', '')),
  )
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 200 }), { maxLength: 10 }), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
      const read: string[] = []
      const split = splitLines(
        1_000,
        (line) => read.push(line),
        () => read.push('flood'),
      )
      const at = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length]
      at.forEach((from, n) => split(bytes.subarray(from, at[n + 1] ?? from)))
      expect(read).toEqual(lines)
    }),
  )
})

test('a line above the bound is called a flood once, and nothing is read after it', () => {
  const seen: string[] = []
  const split = splitLines(
    10,
    (line) => seen.push(line),
    () => seen.push('FLOOD'),
  )
  for (const text of ['ok\n', '123456', '78901', '\nafter\n']) split(Buffer.from(text))
  expect(seen).toEqual(['ok', 'FLOOD'])
})

test('a trimmed observation keeps its code, its short fields and both ends of the long one', () => {
  const text = `start ${'\u0001'.repeat(5_000)} end`
  const trimmed = trimObservation(
    { success: false, code: 'COMMAND_FAILED', exit_code: 3, stdout: text },
    1_000,
  )
  expect(trimmed).toMatchObject({ success: false, code: 'COMMAND_FAILED', exit_code: 3, truncated: true })
  expect(trimmed['stdout']).toMatch(/^start .*left out.* end$/s)
  expect(JSON.stringify(trimmed).length).toBeLessThanOrEqual(1_000)
  const short = { success: true, content: 'x' }
  expect(trimObservation(short, 1_000)).toBe(short)
})
