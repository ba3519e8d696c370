import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coerce } from './coerce.ts'

const schema = {
  type: 'object',
  properties: {
    text: { type: 'string' },
    flag: { type: 'boolean' },
    count: { type: 'integer' },
    ratio: { type: 'number' },
    maybe: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
    either: { type: ['string', 'integer'] },
    list: { type: 'array', items: { type: 'integer' } },
    inner: { type: 'object', properties: { flag: { type: 'boolean' } } },
  },
}

describe('arguments that came as text', () => {
  it.each([
    ['flag', 'true', true],
    ['flag', 'False', false],
    ['flag', 'yes', 'yes'],
    ['count', ' 12 ', 12],
    ['count', '-3', -3],
    ['count', '3.0', 3],
    ['count', '3.5', '3.5'],
    ['count', '99999999999999999999', '99999999999999999999'],
    ['count', '', ''],
    ['count', '0x10', '0x10'],
    ['ratio', '0.5', 0.5],
    ['ratio', '1e3', 1000],
    ['ratio', 'Infinity', 'Infinity'],
    ['text', 'true', 'true'],
    ['text', '12', '12'],
    ['either', '12', '12'],
    ['maybe', '12', 12],
    ['maybe', 'null', null],
    ['list', '["1", 2]', [1, 2]],
    ['list', '[broken', '[broken'],
    ['inner', '{"flag": "true"}', { flag: true }],
    ['unknown', 'true', 'true'],
    ['__proto__', 'true', 'true'],
  ])('%s: %j becomes %j', (key, text, expected) => {
    const args = Object.fromEntries([[key, text]])
    expect(coerce(args, schema)).toEqual(Object.fromEntries([[key, expected]]))
  })

  it('what already fits is not touched, whatever the schema', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.boolean(), fc.constant(null))),
        fc.json(),
        (args, any) => {
          expect(coerce(args, schema)).toEqual(args)
          expect(coerce(args, JSON.parse(any))).toEqual(args)
        },
      ),
    )
  })

  it('twice is the same as once', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(schema.properties)), fc.string(), (key, text) => {
        const once = coerce({ [key]: text }, schema)
        expect(coerce(once, schema)).toEqual(once)
      }),
    )
  })
})
