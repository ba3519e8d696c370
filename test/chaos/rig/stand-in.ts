import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '@muster/contract/checks'
import type { Assignment, RunResult } from '@muster/contract/wire'
import type { RunReports } from '@muster/worker/run-tools'
import type { Runner } from '@muster/worker/runner'
import type { Branches } from './branches.ts'
import type { Effects } from './effects.ts'

/** The command of a stand-in task: how long each phase lasts, and whether its checks pass. */
export function commandOf(work: { phaseMs: number; passes: boolean }): string {
  return `stand-in ${work.phaseMs} ${work.passes ? 'pass' : 'fail'}`
}

/** A run without git and walls. What it does to the world it does in the order of run-task.ts and with the same care. */
export function createStandIn(deps: { worker: string; effects: Effects; branches: Branches }): Runner {
  const { worker, effects, branches } = deps
  return {
    async run(assignment, reports, signal) {
      const { taskId, epoch, runId } = assignment
      const [, ms = '20', verdict] = assignment.command.split(' ')
      const spend = () => sleep(Number(ms), undefined, { signal })
      const note = (what: 'began' | 'ended' | 'stopped') =>
        effects.note({ worker, taskId, epoch, runId, what })
      try {
        note('began')
        reports.phase('preparing')
        await spend()
        reports.phase('running')
        reports.output.say(`run ${runId} of epoch ${epoch}`)
        await spend()
        if (verdict === 'fail') return failed()
        reports.phase('verifying')
        await spend()
        reports.phase('publishing')
        const commit = commitOf(runId)
        await publish(assignment, reports, signal, commit)
        note('ended')
        return verified(assignment, commit)
      } catch (error) {
        note('stopped')
        throw error
      }
    },
    tidy: async () => {},
    async withdraw({ taskId, runId }) {
      const now = branches.read(taskId)
      if (now.commit === commitOf(runId)) branches.swap(taskId, now, null)
    },
  }

  async function publish(assignment: Assignment, reports: RunReports, signal: AbortSignal, commit: string) {
    const { taskId, epoch, runId, branch } = assignment
    for (;;) {
      const expected = branches.read(taskId)
      await reports.publish(branch, commit)
      signal.throwIfAborted()
      if (!branches.swap(taskId, expected, commit)) continue
      return effects.note({ worker, taskId, epoch, runId, what: 'published', commit })
    }
  }
}

const base = 'b'.repeat(40)

/** Every run has its own commit, so the evidence of a task tells which run is its end. */
export function commitOf(runId: string): string {
  return createHash('sha1').update(runId).digest('hex')
}

export function verified(
  assignment: Pick<Assignment, 'branch' | 'checks' | 'attempt'>,
  commit: string,
): RunResult {
  const checks = assignment.checks.map((check) => ({ ...check, status: 'pass' as const, output: '', ms: 1 }))
  const report: Report = {
    overall: checks.length === 0 ? 'auto_pass' : 'pass',
    run: assignment.attempt,
    commit,
    base,
    ms: 1,
    totals: { pass: checks.length, fail: 0, error: 0, timeout: 0 },
    changed: { files: 1, insertions: 1, deletions: 0 },
    proof: { restored: [], removed: [], merged: [] },
    checks,
  }
  const { branch } = assignment
  return { ...failed(), ending: 'verified', reason: 'Proven.', exitCode: 0, base, commit, branch, report }
}

function failed(): RunResult {
  return {
    ending: 'execution_failed',
    reason: 'The command exited with 1.',
    exitCode: 1,
    base: null,
    commit: null,
    branch: null,
    report: null,
    diff: '',
    diffTruncated: false,
  }
}
