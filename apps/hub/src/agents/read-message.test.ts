import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readMessage } from './read-message.ts'

const id = '01a1fcba-e42f-706e-8a4d-c1dffa8f8dfe'
const accept = { type: 'accept', id: 7, taskId: id, epoch: 1 }
const hello = { type: 'hello', id: 7, wire: 1, instance: 'i' }

const refusals: [string, string, boolean, string, string | RegExp, number?][] = [
  ['no JSON', 'not json', true, 'malformed_json', /not JSON/],
  ['an array too deep to read', '['.repeat(1_000_000), true, 'malformed_json', /not JSON/],
  ['an array', '[]', true, 'invalid_message', /JSON object/],
  ['null', 'null', true, 'invalid_message', /JSON object/],
  ['no type', '{"id":7}', true, 'invalid_message', /^type: /, 7],
  ['a type that is a number', '{"id":7,"type":1}', false, 'invalid_message', /^type: /, 7],
  ['an unknown type', '{"id":7,"type":"nope"}', true, 'unknown_message_type', /"nope"/, 7],
  [
    'the name of something every object has',
    '{"type":"constructor"}',
    true,
    'unknown_message_type',
    /"const/,
  ],
  ['a message before hello', JSON.stringify(accept), false, 'hello_required', /not "accept"/, 7],
  ['an unknown type before hello', '{"type":"nope"}', false, 'hello_required', /not "nope"/],
  ['a second hello', JSON.stringify(hello), true, 'already_identified', /has said hello/, 7],
  ['a second hello that does not fit', '{"type":"hello"}', true, 'already_identified', /has said hello/],
  [
    'a hello of another protocol',
    JSON.stringify({ ...hello, wire: 2 }),
    false,
    'invalid_message',
    /^wire: /,
    7,
  ],
  [
    'an epoch that is a text',
    JSON.stringify({ ...accept, epoch: '1' }),
    true,
    'invalid_message',
    /^epoch: /,
    7,
  ],
  ['no task', '{"type":"accept","id":7,"epoch":1}', true, 'invalid_message', /^taskId: /, 7],
  ['an id of nothing', '{"type":"renew","id":0,"leases":[]}', true, 'invalid_message', /^id: /, 0],
  ['an id that is no number', '{"type":"renew","id":"a","leases":[]}', true, 'invalid_message', /^id: /],
  [
    'a field deep inside',
    '{"type":"renew","id":7,"leases":[{}]}',
    true,
    'invalid_message',
    /^leases\.0\.taskId: /,
    7,
  ],
]
test.each(refusals)('%s is refused with its own code', (_, text, identified, code, message, to) => {
  const read = readMessage(text, identified)
  expect(read).toEqual({ unfit: { to, code, message: expect.stringMatching(message) as string } })
})

test('a plain client may leave out what it does not have', () => {
  expect(readMessage(JSON.stringify(hello), false)).toEqual({
    ...hello,
    slots: 1,
    capabilities: [],
    walls: [],
    holding: [],
  })
})

test('capabilities are one word each, however they are written, and a name that is none is refused', () => {
  const say = (capabilities: unknown) => readMessage(JSON.stringify({ ...hello, capabilities }), false)
  expect(say([' GPU', 'gpu', 'Docs'])).toMatchObject({ capabilities: ['gpu', 'docs'] })
  expect(say(['a b'])).toMatchObject({ unfit: { code: 'invalid_message', message: /^capabilities\.0: / } })
  expect(say(Array.from({ length: 65 }, (_, at) => `c${at}`))).toMatchObject({
    unfit: { code: 'invalid_message' },
  })
})

test('whatever is said, it is read or refused, and what PostgreSQL cannot store is gone', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map((value) => JSON.stringify({ ...accept, extra: value })),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify({ ...hello, client: text.slice(0, 60) })),
  )
  fc.assert(
    fc.property(anything, fc.boolean(), (text, identified) => {
      const read = readMessage(text, identified)
      if ('unfit' in read) expect(read.unfit.message.length).toBeLessThan(1_000)
      else expect(JSON.stringify(read)).not.toMatch(/\\u0000|\\ud[89a-f]/)
    }),
  )
})
