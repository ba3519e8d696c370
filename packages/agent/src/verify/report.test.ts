import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  buildReport,
  overallOf,
  trimOutput,
  type CheckResult,
  type CheckStatus,
  type ReportInput,
} from './report.ts'

const statuses: CheckStatus[] = ['pass', 'fail', 'timeout', 'error']

function result(status: CheckStatus): CheckResult {
  return { kind: 'command_succeeds', target: 'true', status, output: '', ms: 1 }
}

function facts(changes: Partial<ReportInput> = {}): ReportInput {
  return {
    run: 1,
    commit: 'c'.repeat(40),
    base: 'b'.repeat(40),
    ms: 5,
    changed: { files: 1, insertions: 1, deletions: 0 },
    proof: { restored: [], removed: [], merged: [] },
    checks: [],
    ...changes,
  }
}

test('the overall status is the worst of all, in the order error, timeout, fail, pass', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...statuses), { minLength: 1 }), (found) => {
      const worst = statuses[Math.max(...found.map((status) => statuses.indexOf(status)))]
      expect(overallOf(found.map(result), false)).toBe(worst)
      expect(overallOf(found.map(result).toReversed(), true)).toBe(worst)
    }),
  )
})

test('totals count every check once', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...statuses)), (found) => {
      const { totals } = buildReport(facts({ checks: found.map(result) }))
      expect(totals.pass + totals.fail + totals.error + totals.timeout).toBe(found.length)
    }),
  )
})

test('work without a declared check passes automatically, and skipped checks are called skipped', () => {
  expect(buildReport(facts()).overall).toBe('auto_pass')
  expect(buildReport(facts({ skip: true })).overall).toBe('skip')
})

const nothing = { files: 0, insertions: 0, deletions: 0 }

test.each([
  ['no check was declared', {}],
  ['checks are skipped', { skip: true }],
  ['every check passes', { checks: [result('pass')] }],
])('a run that changed nothing is not proven when %s', (_, more) => {
  const report = buildReport(facts({ changed: nothing, ...more }))
  expect(report.overall).toBe('fail')
  expect(report.checks.at(-1)).toMatchObject({ kind: 'work_present', status: 'fail' })
  expect(report.checks.at(-1)?.reason).toContain('changed nothing')
})

test('a task that may be empty is judged by its checks alone', () => {
  const report = buildReport(facts({ changed: nothing, allowEmpty: true, checks: [result('pass')] }))
  expect(report).toMatchObject({ overall: 'pass', totals: { pass: 1, fail: 0 } })
})

test('long output keeps its beginning and its end within 16 KiB and says how much is missing', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40_000 }), fc.constantFrom('a', 'é', '漢', '😀'), (count, char) => {
      const output = `begin${char.repeat(count)}end`
      const trimmed = trimOutput(output)
      if (Buffer.byteLength(output) <= 15.5 * 1024) {
        expect(trimmed).toBe(output)
        return
      }
      expect(Buffer.byteLength(trimmed)).toBeLessThan(16 * 1024)
      expect(trimmed).toMatch(/^begin[^]*\[… \d+ bytes left out …\][^]*end$/)
      expect(trimmed).not.toContain('\uFFFD')
    }),
  )
})
