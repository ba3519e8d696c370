import { checkKinds } from '@muster/contract/checks'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCheck } from './check-option.ts'

test('a check is split at its first colon only', () => {
  expect(parseCheck('command_succeeds:grep -q a:b LICENSE')).toEqual({
    kind: 'command_succeeds',
    target: 'grep -q a:b LICENSE',
  })
})

test('git_clean stands alone, with or without the colon', () => {
  expect(parseCheck('git_clean')).toEqual({ kind: 'git_clean', target: '' })
  expect(parseCheck('git_clean:')).toEqual({ kind: 'git_clean', target: '' })
})

test('git_clean with a target is refused', () => {
  expect(() => parseCheck('git_clean:src')).toThrow('takes no target')
})

test('an unknown kind is refused with the names of the kinds', () => {
  for (const kind of checkKinds) expect(() => parseCheck('file_exist:LICENSE')).toThrow(kind)
})

test.each(['file_exists', 'file_exists:', 'command_succeeds:  '])(
  '%j is refused: nothing to look at',
  (text) => {
    expect(() => parseCheck(text)).toThrow('needs a target')
  },
)

test('any target survives as it was written', () => {
  const kinds = checkKinds.filter((kind) => kind !== 'git_clean')
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.string({ minLength: 1 }), (kind, target) => {
      fc.pre(target.trim() !== '')
      expect(parseCheck(`${kind}:${target}`)).toEqual({ kind, target })
    }),
  )
})
