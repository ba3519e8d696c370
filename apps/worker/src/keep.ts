import type { Assignment, RunResult } from '@muster/contract/wire'
import type { End } from './endings.ts'
import { GitError } from './git/git-error.ts'
import type { Mirror } from './git/mirror.ts'
import type { TakenIn } from './git/take-in.ts'
import type { RunReports, RunTools } from './run-tools.ts'

export type Work = { taken: TakenIn | null; commit: string | null; exitCode: number | null }
export const nothing: Work = { taken: null, commit: null, exitCode: null }

type Kept = {
  mirror: Mirror
  work: Work
  end: End
  signal: AbortSignal
  report?: RunResult['report']
  partial?: RunResult['partial']
}

/**
 * Puts the work where a person finds it: proven work on the branch, other work on a branch that says so. The hub's
 * grant comes first and the branch is moved by compare-and-swap against what was there before the grant (at first when
 * the run began), so that a run which froze and lost its task meanwhile cannot overwrite a newer one's branch.
 */
export async function keep(
  assignment: Assignment,
  tools: RunTools,
  reports: RunReports,
  kept: Kept,
): Promise<RunResult> {
  const { mirror, work, end, signal } = kept
  const { commit, taken } = work
  const isProven = end.ending === 'verified'
  const found = {
    ...result(end, mirror, work),
    report: kept.report ?? null,
    ...(kept.partial == null ? {} : { partial: kept.partial }),
  }
  if (commit === null || taken === null || (!isProven && taken.changed.files === 0)) return found
  const branch = isProven ? assignment.branch : assignment.failedBranch
  reports.phase('publishing')
  let expected = mirror.branches.get(branch) ?? null
  for (let attempt = 1; ; attempt++) {
    await reports.publish(branch, commit)
    const options = { mirror: mirror.path, branch, commit, expected, signal }
    if ((await tools.publisher.publish(assignment.repo, options)) === 'published') break
    if (attempt === 5)
      throw new GitError('publish_refused', `The branch ${branch} keeps moving under the run.`)
    expected = await tools.publisher.readBranch(assignment.repo, branch, signal)
  }
  reports.output.say(`${isProven ? 'Proven' : 'Unproven'} work is on branch ${branch}`)
  return { ...found, branch }
}

export function result(end: End, mirror: Mirror | null, work: Work): RunResult {
  return {
    ...end,
    exitCode: work.exitCode,
    base: mirror?.base ?? null,
    commit: work.commit,
    branch: null,
    report: null,
    diff: work.taken?.diff.text ?? '',
    diffTruncated: work.taken?.diff.cut ?? false,
  }
}
