import type { Report } from '@muster/contract/checks'
import type { RunResult } from '@muster/contract/wire'
import { expect, test } from 'vitest'
import { commit, passingReport, verified } from '../../test-support/rooms.ts'
import { whyNotProven } from './evidence.ts'

const branch = 'muster/shell/a-task'
const granted = { commit, branch }
const test1 = { kind: 'test_passes', target: 'auto' } as const
const file1 = { kind: 'file_exists', target: 'a.txt' } as const

type Declared = { kind: string; target: string }
const wanting = (...declaredChecks: Declared[]) => ({ declaredChecks, allowEmpty: false })

function reporting(change: Partial<Report>): RunResult {
  return verified(branch, { report: { ...passingReport([test1, file1]), ...change } })
}

test('a run is proven when its report is of the granted commit and every declared check passed', () => {
  expect(whyNotProven(reporting({}), granted, wanting(test1, file1))).toBeUndefined()
  expect(whyNotProven(reporting({}), granted, wanting(test1))).toBeUndefined()
  expect(whyNotProven(verified(branch), granted, wanting())).toBeUndefined()
})

const other = 'd'.repeat(40)
const failedCheck = { ...test1, status: 'fail' as const, output: '', ms: 1 }
const lies: [string, RunResult, typeof granted | { commit: null; branch: null }, string][] = [
  ['has no report', verified(branch, { report: null }), granted, 'there is no report, commit or branch'],
  ['names no commit', verified(branch, { commit: null }), granted, 'there is no report, commit or branch'],
  ['names no branch', verified(branch, { branch: null }), granted, 'there is no report, commit or branch'],
  ['reports on another commit', reporting({ commit: other }), granted, 'the report is about another commit'],
  [
    'was never granted the branch',
    reporting({}),
    { commit: null, branch: null },
    'this commit was not granted this branch',
  ],
  [
    'was granted it for another commit',
    reporting({}),
    { commit: other, branch },
    'this commit was not granted this branch',
  ],
  [
    'was granted another branch',
    reporting({}),
    { commit, branch: 'other' },
    'this commit was not granted this branch',
  ],
  ['reports on another base', reporting({ base: other }), granted, 'the report is about another base'],
  [
    'changed nothing',
    reporting({ changed: { files: 0, insertions: 0, deletions: 0 } }),
    granted,
    'nothing was changed',
  ],
  ['says auto_pass', reporting({ overall: 'auto_pass' }), granted, 'checks were declared but not run'],
  ['did not run a check', reporting({ checks: [] }), granted, 'test_passes:auto was declared but not run'],
  [
    'ran it on another target',
    reporting({ checks: [{ ...failedCheck, status: 'pass', target: 'x' }] }),
    granted,
    'test_passes:auto was declared but not run',
  ],
  ['hides a failed check', reporting({ checks: [failedCheck] }), granted, 'test_passes did not pass'],
  ...(['fail', 'error', 'timeout', 'skip'] as const).map(
    (overall) =>
      [`says ${overall}`, reporting({ overall }), granted, `the report says ${overall}`] as (typeof lies)[0],
  ),
]
test.each(lies)('a run that %s is not proven', (_, result, grant, why) => {
  expect(whyNotProven(result, grant, wanting(test1))).toBe(why)
})

test.each(['fail', 'error', 'timeout'] as const)(
  'a check that ended as %s proves nothing, declared or not',
  (status) => {
    const checks = [
      ...passingReport([test1]).checks,
      { ...failedCheck, kind: 'work_present' as const, status },
    ]
    expect(whyNotProven(reporting({ checks }), granted, wanting(test1))).toBe('work_present did not pass')
  },
)

test('a run that changed nothing is proven for a task that allows it', () => {
  const changed = { files: 0, insertions: 0, deletions: 0 }
  const wanted = { ...wanting(test1), allowEmpty: true }
  expect(whyNotProven(reporting({ changed }), granted, wanted)).toBeUndefined()
})
