import type { CheckResult, Proof, Report } from '@muster/contract/checks'
import { maxMessageBytes, type RunResult } from '@muster/contract/wire'

// What is left of a message for the result; the rest is the envelope: two ids, an epoch and the names of the fields.
const resultBytes = maxMessageBytes - 4 * 1024

/** Least that is kept of a diff before anything of the report is cut: a person can read no more at once. */
const diffBytes = 1024 * 1024
/** Of the report: 64 checks with 16 KiB of plain output each fit as they are. */
const checksBytes = 2 * 1024 * 1024
const proofBytes = 512 * 1024

/**
 * The end of a run as it fits one message. Counted in the bytes of its JSON, because that is what is sent: a control
 * character is one byte of output and six of JSON. What nearly every run has fits whole. Otherwise the diff is cut
 * first, since the branch has it too; then the output of checks, each to an equal share, and the list of restored
 * files, which says how many more there were. No status, count or name of a check is ever changed.
 *
 * A result that did not fit would end the connection, and with it every run of this worker, each time it is sent.
 */
export function fitResult(result: RunResult): RunResult {
  if (bytesOf(result) <= resultBytes) return result
  const room = Math.max(diffBytes, resultBytes - bytesOf({ ...result, diff: '' }))
  const cut = fitDiff(result, room)
  if (cut.report === null || bytesOf(cut) <= resultBytes) return cut
  return { ...cut, report: fitReport(cut.report) }
}

function fitDiff(result: RunResult, most: number): RunResult {
  const note = '[… the rest of the diff is left out: it does not fit …]\n'
  if (bytesOf(result.diff) <= most) return result
  const kept = longestPrefix(result.diff, most - bytesOf(note))
  const lines = kept.lastIndexOf('\n') + 1
  return { ...result, diff: `${lines === 0 ? kept : kept.slice(0, lines)}${note}`, diffTruncated: true }
}

function fitReport(report: Report): Report {
  const share = Math.floor(checksBytes / Math.max(1, report.checks.length))
  return {
    ...report,
    checks: report.checks.map((check) => fitCheck(check, share)),
    proof: fitProof(report.proof),
  }
}

function fitCheck(check: CheckResult, most: number): CheckResult {
  if (bytesOf(check) <= most) return check
  const note = '[… the rest is left out: it does not fit …]\n'
  const reason = check.reason === undefined ? {} : { reason: longestPrefix(check.reason, 4 * 1024) }
  const bare = { ...check, ...reason, output: note }
  return { ...bare, output: `${longestPrefix(check.output, most - bytesOf(bare))}${note}` }
}

function fitProof(proof: Proof): Proof {
  const share = Math.floor(proofBytes / 3)
  return {
    restored: fitEntries(proof.restored, share),
    removed: fitEntries(proof.removed, share),
    merged: fitEntries(proof.merged, share),
  }
}

function fitEntries(entries: Proof['restored'], most: number): Proof['restored'] {
  if (bytesOf(entries) <= most) return entries
  const kept: Proof['restored'] = []
  let bytes = 200
  for (const entry of entries) {
    bytes += bytesOf(entry) + 1
    if (bytes > most) break
    kept.push(entry)
  }
  return [...kept, { path: '…', why: `and ${entries.length - kept.length} more, which do not fit` }]
}

/** The longest beginning whose JSON is at most so long. */
function longestPrefix(text: string, most: number): string {
  let low = 0
  let high = text.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (bytesOf(text.slice(0, middle)) <= most) low = middle
    else high = middle - 1
  }
  return text.slice(0, low).toWellFormed()
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
