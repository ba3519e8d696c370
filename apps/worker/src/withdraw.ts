import type { Assignment } from '@muster/contract/wire'
import { existsSync } from 'node:fs'
import type { Log } from './log.ts'
import type { RunTools } from './run-tools.ts'

/**
 * Takes back the branch of a run that did not become the end of its task: it was stopped, lost or refused after it had
 * published. A branch `muster/…` without evidence must not stay. The mirror's ref of the run tells the commit, and
 * only a branch that still points at it is removed, so a newer run's branch is never touched.
 *
 * A run that never got as far as a commit costs one look at the mirror. A repository that cannot be reached keeps the
 * branch, which is said in the log; the next run of the task replaces it.
 */
export async function withdraw(
  tools: RunTools,
  { repo, runId, branch }: Assignment,
  log: Log,
): Promise<void> {
  const mirror = tools.mirrors.pathOf(repo.id)
  if (!existsSync(mirror)) return
  try {
    const ref = `refs/muster/runs/${runId}`
    const found = await tools.git.attempt(['rev-parse', '--verify', '--quiet', ref], {
      cwd: mirror,
      timeoutMs: 10_000,
    })
    if (found.code === 0)
      await tools.publisher.withdraw(repo, { mirror, branch, commit: found.stdout.trim() })
  } catch (error) {
    log.warn({ err: error, branch }, 'the branch of a run that did not count could not be taken back')
  }
}
