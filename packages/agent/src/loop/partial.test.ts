import { expect, test } from 'vitest'
import type { Check } from '../verify/check.ts'
import type { CheckResult } from '../verify/report.ts'
import { partialOf } from './partial.ts'

const tests: Check = { kind: 'test_passes', target: 'npm test' }
const file: Check = { kind: 'file_exists', target: 'a.txt' }
const result = (check: Check, status: CheckResult['status'], reason?: string): CheckResult => ({
  ...check,
  status,
  output: '',
  ms: 1,
  ...(reason === undefined ? {} : { reason }),
})

test('done is what passed and what is there; the rest remains, with what is known of it', () => {
  const report = partialOf({
    criteria: ['prices are rounded'],
    declared: [tests, file, { kind: 'git_clean', target: '' }],
    results: [result(tests, 'fail', 'It exited with 1.'), result(file, 'pass')],
    changedFiles: ['a.txt', 'b.txt'],
  })
  expect(report).toEqual({
    done: ['passes: file_exists a.txt', 'changed 2 files: a.txt, b.txt'],
    remaining: [
      'fails: test_passes npm test (It exited with 1.)',
      'not checked: git_clean',
      'not proven: prices are rounded',
    ],
  })
})

test('nothing is done when nothing was run and nothing changed', () => {
  expect(partialOf({ criteria: [], declared: [tests], results: [], changedFiles: [] })).toEqual({
    done: [],
    remaining: ['not checked: test_passes npm test', 'nothing was changed yet'],
  })
})

test('it holds as much as the report of a run may', () => {
  const criteria = Array.from({ length: 300 }, () => 'c'.repeat(2_000))
  const { remaining } = partialOf({ criteria, declared: [], results: [], changedFiles: ['a'] })
  expect([remaining.length, Math.max(...remaining.map((line) => line.length))]).toEqual([100, 500])
})
