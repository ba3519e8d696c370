import { expect, test } from 'vitest'
import { ranNoTests } from './no-tests.ts'

test.each([
  '\nRan 0 tests in 0.000s\n\nOK\n',
  'ℹ tests 0\nℹ pass 0\n',
  '# tests 0\n# pass 0\n',
  'running 0 tests\n\ntest result: ok. 0 passed\n',
  '?   \texample.com/a\t[no test files]\n',
])('%j is a success without a test', (output) => {
  expect(ranNoTests(output)).toBe(true)
})

test.each([
  'Ran 3 tests in 0.1s\n',
  'ℹ tests 12\n',
  'running 0 tests\nrunning 2 tests\n',
  'ok  \texample.com/a\t0.01s\n?   \texample.com/b\t[no test files]\n',
  '',
])('%j is not', (output) => {
  expect(ranNoTests(output)).toBe(false)
})
