import { expect, test } from 'vitest'
import type { ControlRun } from './control-run.ts'
import { judgeWithCode, suspects } from './control-verdict.ts'

const planted = ['a', 'b', 'c'].map((path) => ({ path, sign: `sign-${path}` }))
const run = (signs: string, more: Partial<ControlRun> = {}): ControlRun => ({
  ended: 'exited',
  code: 1,
  signs: new Set([...signs].map((path) => `sign-${path}`)),
  toothless: new Set(),
  ...more,
})
const paths = (found: readonly { path: string }[]) => found.map(({ path }) => path).join('')

test('every failure reported and an error at the end: the tests can fail', () => {
  expect(judgeWithCode(run('abc'), planted, 1000)).toEqual({ status: 'pass' })
})

test.each([
  ['one is missing', run('ab')],
  ['the command ended with success', run('abc', { code: 0 })],
  ['nothing was seen', run('')],
])('%s: only the run of the tests alone can say why', (_, seen) => {
  expect(judgeWithCode(seen, planted, 1000)).toBeNull()
})

test.each<[ControlRun, string]>([
  [run('', { ended: 'timed_out', code: null }), 'timeout'],
  [run('', { ended: 'memory_limit', code: null }), 'error'],
  [run('abc', { toothless: new Set(['assert.equal']) }), 'fail'],
])('what cannot be decided, or is decided against it, is no pass', (seen, status) => {
  expect(judgeWithCode(seen, planted, 1000)).toMatchObject({ status, reason: expect.any(String) as string })
})

test('suspected is what the tests alone report and with the code do not', () => {
  expect(paths(suspects(run('ab'), run('abc'), planted))).toBe('c')
  expect(paths(suspects(run('ab'), run('ab'), planted))).toBe('')
  expect(paths(suspects(run('abc', { code: 0 }), run('ab'), planted))).toBe('ab')
  expect(paths(suspects(run('abc', { code: 0 }), run('ab', { code: 0 }), planted))).toBe('')
})
