import type { CheckResult } from '@muster/contract/checks'
import { maxMessageBytes, workerMessage, type RunResult } from '@muster/contract/wire'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitResult } from './fit-result.ts'

const commit = 'c'.repeat(40)
// Six bytes of JSON for one of output; what a binary file printed by a check is made of.
const worst = (length: number) => '\u0001'.repeat(length)

const check = (target: string, output: string, reason = 'It said no.'): CheckResult => ({
  kind: 'command_succeeds',
  target,
  status: 'fail',
  output,
  ms: 1,
  reason,
})

function resultOf(parts: {
  diff?: string
  checks?: CheckResult[]
  files?: number
  path?: string
}): RunResult {
  const { diff = '', checks = [], files = 0, path = 'test/a.ts' } = parts
  const entries = Array.from({ length: files }, (_, at) => ({ path: `${path}${at}`, why: 'a test, changed' }))
  return {
    ending: 'execution_failed',
    reason: worst(2_000),
    exitCode: 0,
    base: commit,
    commit,
    branch: 'muster-failed/shell/a',
    report: {
      overall: 'fail',
      run: 1,
      commit,
      base: commit,
      ms: 1,
      totals: { pass: 0, fail: checks.length, error: 0, timeout: 0 },
      changed: { files, insertions: 0, deletions: 0 },
      proof: { restored: entries, removed: entries, merged: entries },
      checks,
    },
    diff,
    diffTruncated: false,
  }
}

const id = '01a1fcba-e42f-706e-8a4d-c1dffa8f8dfe'
const envelope = { type: 'finish', id: Number.MAX_SAFE_INTEGER, taskId: id, epoch: 2 ** 31, runId: id }

function sent(result: RunResult) {
  const text = JSON.stringify({ ...envelope, result: fitResult(result) })
  const message = workerMessage.parse(JSON.parse(text))
  if (message.type !== 'finish') throw new Error('not a finish')
  return { bytes: Buffer.byteLength(text), result: message.result }
}

test('the largest finish that a run can make fits one message, and no verdict in it is lost', () => {
  const checks = Array.from({ length: 65 }, (_, at) =>
    check(`${at}${worst(3_990)}`, worst(16 * 1024), worst(20_000)),
  )
  const whole = resultOf({ diff: `${worst(1_000)}\n`.repeat(1_048), checks, files: 5_000, path: worst(400) })
  expect(Buffer.byteLength(JSON.stringify(whole))).toBeGreaterThan(10 * maxMessageBytes)
  const { bytes, result } = sent(whole)
  expect(bytes).toBeLessThanOrEqual(maxMessageBytes)
  expect(result.report?.checks.map(({ target, status }) => [target, status])).toEqual(
    checks.map(({ target, status }) => [target, status]),
  )
  expect(result.report?.totals).toEqual(whole.report?.totals)
  expect(result.diffTruncated).toBe(true)
  const restored = result.report?.proof.restored ?? []
  expect(restored.at(-1)?.why).toBe(`and ${5_000 - restored.length + 1} more, which do not fit`)
})

test('what a usual run has is sent whole: a diff of 1 MiB beside 64 checks with 16 KiB of lines each', () => {
  const lines = `${'x'.repeat(60)}\n`
  const checks = Array.from({ length: 64 }, () => check('npm test', lines.repeat(264)))
  const whole = resultOf({ diff: `+${lines}`.repeat(16_900), checks, files: 10 })
  expect(sent(whole).result).toEqual(whole)
})

test('a diff that does not fit beside a small report is cut at a line, and no further than it must be', () => {
  const { bytes, result } = sent(
    resultOf({ diff: `+${worst(99)}\n`.repeat(10_000), checks: [check('a', 'b')] }),
  )
  expect(result.diff).toMatch(/\n\[… the rest of the diff is left out: it does not fit …\]\n$/)
  expect(bytes).toBeGreaterThan(maxMessageBytes - 10_000)
  expect(result.report?.checks).toEqual([check('a', 'b')])
})

test('any result fits', () => {
  const size = fc.nat({ max: 1_100_000 })
  const filler = fc.constantFrom('a', '\n', '"', '\u0001', 'é', '\ud800', '語')
  fc.assert(
    fc.property(
      size,
      filler,
      fc.nat({ max: 65 }),
      fc.nat({ max: 16_384 }),
      fc.nat({ max: 5_000 }),
      (...given) => {
        const [length, char, count, output, files] = given
        const checks = Array.from({ length: count }, () => check(char.repeat(4_000), char.repeat(output)))
        const whole = resultOf({ diff: char.repeat(length), checks, files, path: char.repeat(200) })
        expect(sent(whole).bytes).toBeLessThanOrEqual(maxMessageBytes)
      },
    ),
    { numRuns: 12 },
  )
}, 30_000)
