import type { Assignment } from '@muster/contract/wire'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { checkout } from './git/checkout.ts'
import { GitError } from './git/git-error.ts'
import type { Mirror } from './git/mirror.ts'
import type { Left } from './leftover.ts'
import { putBack } from './leftover.ts'
import { authorOf, type RunReports, type RunTools } from './run-tools.ts'

/** The worker could not even begin; another worker, or this one later, may. */
export class CannotRun extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** The run's own clone, as its base is, or as an earlier run of the same line of work left it. */
export async function prepare(
  assignment: Assignment,
  tools: RunTools,
  reports: RunReports,
  { dir, left, signal }: { dir: string; left: Left | null; signal: AbortSignal },
): Promise<Mirror> {
  try {
    const found = await tools.mirrors.update(assignment.repo, {
      signal,
      onProgress: ({ phase, percent }) => reports.progress(phase, percent),
    })
    // What was begun goes on from where it began, although the person's branch may have moved since.
    const mirror = left === null ? found : { ...found, base: left.base }
    await mkdir(dir, { mode: 0o711 })
    const into = join(dir, 'work')
    const { git } = tools
    const author = authorOf(assignment)
    const at = { git, mirror: mirror.path, branch: assignment.branch, into, author, signal }
    if (left === null) await checkout({ ...at, commit: mirror.base })
    else await putBack({ ...at, left, runId: assignment.runId, dir })
    const from = left === null ? '' : ', with the files of the last step'
    reports.output.say(
      `Checked out ${mirror.branch} at ${mirror.base.slice(0, 12)} of ${assignment.repo.name}${from}`,
    )
    return mirror
  } catch (error) {
    if (error instanceof GitError && !signal.aborted)
      throw new CannotRun(error.code, `${error.message} ${error.hint}`.trim())
    throw error
  }
}
