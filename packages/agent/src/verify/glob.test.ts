import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesGlob } from './glob.ts'

test.each([
  ['a.ts', '*.ts', true],
  ['src/a.ts', '*.ts', false],
  ['src/a.ts', '**/*.ts', true],
  ['a.ts', '**/*.ts', true],
  ['src/deep/a.ts', 'src/**', true],
  ['src', 'src/**', true],
  ['srcs/a.ts', 'src/**', false],
  ['tests/a/b.py', 'tests/', true],
  ['tests', 'test?', true],
  ['test', 'test?', false],
  ['.npmrc', '*', true],
  ['a/b/c/d.js', 'a/**/d.js', true],
  ['a/d.js', 'a/**/d.js', true],
  ['a/b', 'a/b*c', false],
  ['a[1].js', 'a[1].js', true],
  ['x/test/y/test/z', '**/test/z', true],
])('%s against %s is %s', (path, pattern, matches) => {
  expect(matchesGlob(path, pattern)).toBe(matches)
})

const segment = fc.stringMatching(/^[a-c.\-\n é]{1,4}$/)
const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'))

test('a path without wildcards matches itself and no other path', () => {
  fc.assert(
    fc.property(path, path, (one, other) => {
      expect(matchesGlob(one, one)).toBe(true)
      expect(matchesGlob(other, one)).toBe(other === one)
    }),
  )
})

test('a star never crosses a slash, and two stars cross any number', () => {
  fc.assert(
    fc.property(path, (path) => {
      expect(matchesGlob(path, '*')).toBe(!path.includes('/'))
      expect(matchesGlob(path, '**')).toBe(true)
      expect(matchesGlob(`top/${path}`, 'top/**')).toBe(true)
      expect(matchesGlob(path, path.split('/').fill('*').join('/'))).toBe(true)
    }),
  )
})

test('the matcher agrees with the regular expression its words describe', () => {
  const pattern = fc
    .array(
      fc.oneof(
        fc.constant('**'),
        fc.stringMatching(/^[ab*?]{1,3}$/).filter((part) => part !== '**'),
      ),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    .filter((parts) => parts.every((part) => part === '**' || !part.includes('**')))
  const simple = fc.array(fc.stringMatching(/^[ab]{1,3}$/), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(simple, pattern, (segments, parts) => {
      const source = parts
        .map((part) =>
          part === '**' ? '(?:[^/]+/)*' : `${part.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')}/`,
        )
        .join('')
      const expected = new RegExp(`^${source}$`).test(`${segments.join('/')}/`)
      expect(matchesGlob(segments.join('/'), parts.join('/'))).toBe(expected)
    }),
    { numRuns: 2000 },
  )
})

test('a pattern of many stars is refused in no time', () => {
  const started = performance.now()
  expect(matchesGlob('a'.repeat(5000), `${'*a'.repeat(50)}b`)).toBe(false)
  expect(matchesGlob('a/'.repeat(500), `${'**/a/'.repeat(50)}b`)).toBe(false)
  expect(performance.now() - started).toBeLessThan(500)
})
