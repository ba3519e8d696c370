import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { globToTest } from './glob.ts'

test.each([
  ['*.ts', 'src/a.ts', true],
  ['*.ts', 'a.tsx', false],
  ['src/*.ts', 'src/a.ts', true],
  ['src/*.ts', 'src/deep/a.ts', false],
  ['src/**/*.ts', 'src/a.ts', true],
  ['src/**/*.ts', 'src/x/y/a.ts', true],
  ['**/test/*', 'a/test/b', true],
  ['./src/*', 'src/a', true],
  ['*.{ts,js}', 'x/a.js', true],
  ['*.{ts,js}', 'a.py', false],
  ['a?c', 'abc', true],
  ['[ab].c', 'b.c', true],
  ['[!ab].c', 'b.c', false],
  ['a+b.(c)', 'a+b.(c)', true],
  ['[', '[', true],
])('%s and %s: %s', (glob, path, isMatch) => {
  expect(globToTest(glob)(path)).toBe(isMatch)
})

test('whatever the pattern is, it can be asked', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'*?[]{}!,/\\.^$()ab-') }), fc.string(), (glob, path) => {
      expect(typeof globToTest(glob)(path)).toBe('boolean')
    }),
  )
})
