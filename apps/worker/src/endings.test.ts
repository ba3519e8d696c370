import type { Report } from '@muster/contract/checks'
import type { ExecResult } from '@muster/sandbox/sandbox'
import { expect, test } from 'vitest'
import { endOfCommand, endOfReport } from './endings.ts'

const done: ExecResult = { code: 0, ended: 'exited', stdout: '', stderr: '', droppedBytes: 0, ms: 1 }

test.each<[Partial<ExecResult>, string | null, RegExp]>([
  [{}, null, /./],
  [{ code: 3 }, 'execution_failed', /exited with 3/],
  [{ ended: 'signalled', code: 137, signal: 'SIGKILL' }, 'execution_failed', /SIGKILL/],
  [{ ended: 'timed_out', code: null }, 'timed_out', /deadline of 2 s/],
  [{ ended: 'aborted', code: null }, 'cancelled', /stopped/],
  [{ ended: 'memory_limit', code: null }, 'execution_failed', /memory_limit/],
  [{ ended: 'process_limit', code: null }, 'execution_failed', /process_limit/],
  [{ ended: 'disk_limit', code: null }, 'execution_failed', /disk_limit/],
])('a command that ended with %j makes the ending %s', (part, ending, reason) => {
  const end = endOfCommand({ ...done, ...part }, 2_000)
  expect(end?.ending ?? null).toBe(ending)
  if (end !== null) expect(end.reason).toMatch(reason)
})

const report: Report = {
  overall: 'pass',
  run: 1,
  commit: 'a'.repeat(40),
  base: 'b'.repeat(40),
  ms: 1,
  totals: { pass: 1, fail: 0, error: 0, timeout: 0 },
  changed: { files: 1, insertions: 1, deletions: 0 },
  proof: { restored: [], removed: [], merged: [] },
  checks: [{ kind: 'file_exists', target: 'LICENSE', status: 'pass', output: '', ms: 1 }],
}

test('only a report in which everything passed makes a run verified', () => {
  expect(endOfReport(report).ending).toBe('verified')
  expect(endOfReport({ ...report, overall: 'auto_pass', checks: [] }).ending).toBe('verified')
  for (const overall of ['fail', 'error', 'timeout', 'skip'] as const) {
    expect(endOfReport({ ...report, overall }).ending).toBe('execution_failed')
  }
})

test('the reason of a failed run names the check, and the proof files that the run had changed', () => {
  const end = endOfReport({
    ...report,
    overall: 'fail',
    proof: { restored: [{ path: 'test/a.test.js', why: 'a test' }], removed: [], merged: [] },
    checks: [
      { kind: 'test_passes', target: 'auto', status: 'fail', output: '', ms: 1, reason: 'It exited with 1.' },
    ],
  })
  expect(end.reason).toContain('test_passes:auto did not pass. It exited with 1.')
  expect(end.reason).toContain('test/a.test.js')
})
