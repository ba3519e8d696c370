import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createNeutraliser,
  fit,
  neutralise,
  neutraliseLine,
  pad,
  safeJson,
  widthOf,
} from './terminal-text.ts'

// eslint-disable-next-line no-control-regex -- these must not remain
const dangerous = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

test.each([
  ['\u001b[31mred\u001b[0m', 'red'],
  ['\u001b]0;title\u0007after', 'after'],
  ['\u001b]52;c;aGk=\u001b\\after', 'after'],
  ['\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\', 'link'],
  ['\u001bPq#0;2\u001b\\after', 'after'],
  ['\u009b2Jafter', 'after'],
  ['\u001bcafter', 'after'],
  ['10 %\r20 %\r\n', '10 %\n20 %\n'],
  ['a\tb\nc', 'a\tb\nc'],
  ['safe\u202etxt.exe', 'safetxt.exe'],
  ['bell\u0007 back\u0008', 'bell back'],
  ['grüße 世界 👩‍💻', 'grüße 世界 👩‍💻'],
])('%j becomes %j', (text, clean) => expect(neutralise(text)).toBe(clean))

test('nothing that drives a terminal remains of any text', () => {
  const hostile = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('\u001b', '[', ']', '\u009d', '\u0007', 'm', '\u001b\\'),
      ),
    )
    .map((pieces) => pieces.join(''))
  fc.assert(fc.property(hostile, (text) => !dangerous.test(neutralise(text))))
})

test('a sequence that is cut between two pieces is still removed', () => {
  const text = 'a\u001b[1;31mred\u001b]0;title\u0007b'
  for (let cut = 0; cut <= text.length; cut++) {
    const clean = createNeutraliser()
    expect(clean(text.slice(0, cut)) + clean(text.slice(cut))).toBe('aredb')
  }
})

test('a sequence that never ends does not swallow the rest', () => {
  const clean = createNeutraliser()
  let shown = clean('\u001b[')
  for (let i = 0; i < 10; i++) shown += clean(`${'1'.repeat(1_000)}`)
  expect(shown.length).toBeGreaterThan(4_000)
})

test('a line stays a line', () => {
  expect(neutraliseLine('one\ntwo\r\nthree')).toBe('one two three')
})

test('a JSON document holds no character that a terminal obeys and means the same', () => {
  const value = { text: '\u009b31m\u202e\u007f\u001b[0m' }
  expect(dangerous.test(safeJson(value, undefined))).toBe(false)
  expect(JSON.parse(safeJson(value, undefined))).toEqual(value)
})

test('cutting and padding count columns, not characters', () => {
  expect(widthOf('世界')).toBe(4)
  expect(fit('世界世界', 5)).toBe('世界…')
  expect(pad('世', 4)).toBe('世  ')
})
