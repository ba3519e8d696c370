import { expect, test } from 'vitest'
import { guessTier, type Described } from './complexity.ts'

const task = (title: string, more: Partial<Described> = {}): Described => ({
  title,
  fileHints: [],
  checks: [],
  ...more,
})
const words = (count: number) => Array.from({ length: count }, () => 'word').join(' ')
const three = ['a', 'b', 'c']

test.each<[string, Described, string]>([
  ['a short title', task('Add a page'), 'trivial'],
  ['a typo in three files', task('Fix a typo', { fileHints: three, checks: ['x'] }), 'trivial'],
  ['a paragraph with files and checks', task(words(20), { fileHints: three, checks: three }), 'standard'],
  [
    'a page of text, many files, many checks',
    task(words(60), { fileHints: [...three, 'd'], checks: [...three, 'd'] }),
    'complex',
  ],
  ['a refactoring, however briefly put', task('Refactor the parser'), 'standard'],
  ['a refactoring of many files', task('Refactor the parser', { fileHints: [...three, 'd'] }), 'complex'],
])('%s is guessed right', (_, described, tier) => {
  expect(guessTier(described)).toBe(tier)
})
