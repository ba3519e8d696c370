import type { Assignment, RunResult } from '@muster/contract/wire'
import { SandboxError } from '@muster/sandbox/sandbox'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { deadlineReason, endOfCommand, type End } from './endings.ts'
import { runShell } from './executors/shell.ts'
import { checkout } from './git/checkout.ts'
import { commitInside } from './git/carry-out.ts'
import { GitError } from './git/git-error.ts'
import type { Mirror } from './git/mirror.ts'
import { takeIn, type TakenIn } from './git/take-in.ts'
import { author, type RunReports, type RunTools } from './run-tools.ts'
import { openWall } from './wall.ts'
import { prove } from './prove.ts'

/** The worker could not even begin; another worker, or this one later, may. */
export class CannotRun extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

// What carrying work out after a deadline may take; inside the 20 s that the hub waits for the report.
const afterDeadlineMs = 10_000

/**
 * One attempt at a task, from the assignment to its result. `signal` stops it from outside; then nothing is reported.
 *
 * The order is the promise: the command runs in a wall on a clone of its own; the result leaves the wall as a bundle
 * and becomes a commit that cannot change any more; the checks run in another wall on exactly that commit; only then,
 * and only if the hub still counts this run as the newest, does a branch appear in the person's repository.
 */
export async function runTask(
  assignment: Assignment,
  tools: RunTools,
  reports: RunReports,
  signal: AbortSignal,
): Promise<RunResult> {
  const started = performance.now()
  const left = () => assignment.timeoutMs - (performance.now() - started)
  const deadline = AbortSignal.timeout(Math.max(1, Math.ceil(left())))
  const stop = AbortSignal.any([signal, deadline])
  const dir = join(tools.runsDir, assignment.runId)
  const late: End = { ending: 'timed_out', reason: deadlineReason(assignment.timeoutMs) }
  try {
    reports.phase('preparing')
    const mirror = await prepare(assignment, tools, reports, dir, stop)
    const work = await execute(assignment, tools, reports, { dir, mirror, signal, stop, left })
    const { taken, commit } = work
    if (taken === null || commit === null) return result(work.end ?? late, mirror, work)
    try {
      if (work.end !== null)
        return await keep(assignment, tools, reports, { mirror, work, end: work.end, signal })
      reports.phase('verifying')
      const proven = await prove(assignment, tools, reports, { dir, mirror, taken, commit, stop })
      const end = deadline.aborted && proven.end.ending !== 'verified' ? late : proven.end
      return await keep(assignment, tools, reports, { mirror, work, end, signal, report: proven.report })
    } catch (error) {
      // Git refuses the commit or the branch: it would again, and the diff must not be lost over it.
      if (!(error instanceof GitError) || stop.aborted) throw error
      reports.output.say(error.message)
      return result({ ending: 'execution_failed', reason: `${error.code}: ${error.message}` }, mirror, work)
    }
  } catch (error) {
    if (deadline.aborted && !signal.aborted) return result(late, null, nothing)
    // Another worker would find the same repository: this ends the task rather than sending it round.
    if (error instanceof CannotRun && error.code.startsWith('repo_') && error.code !== 'repo_unreachable') {
      return result({ ending: 'refused', reason: `${error.code}: ${error.message}` }, null, nothing)
    }
    throw error
  }
}

type Work = { taken: TakenIn | null; commit: string | null; exitCode: number | null; end: End | null }
const nothing: Work = { taken: null, commit: null, exitCode: null, end: null }

async function prepare(
  assignment: Assignment,
  tools: RunTools,
  reports: RunReports,
  dir: string,
  signal: AbortSignal,
): Promise<Mirror> {
  try {
    const mirror = await tools.mirrors.update(assignment.repo, {
      signal,
      onProgress: ({ phase, percent }) => reports.progress(phase, percent),
    })
    await mkdir(dir, { mode: 0o711 })
    const into = join(dir, 'work')
    await checkout({
      git: tools.git,
      mirror: mirror.path,
      commit: mirror.base,
      branch: assignment.branch,
      into,
      author,
      signal,
    })
    reports.output.say(
      `Checked out ${mirror.branch} at ${mirror.base.slice(0, 12)} of ${assignment.repo.name}`,
    )
    return mirror
  } catch (error) {
    if (error instanceof GitError && !signal.aborted)
      throw new CannotRun(error.code, `${error.message} ${error.hint}`.trim())
    throw error
  }
}

type Stage = { dir: string; mirror: Mirror; signal: AbortSignal; stop: AbortSignal; left: () => number }

/** The command in its wall, and its work out of it. The wall is gone when this returns. */
async function execute(
  assignment: Assignment,
  tools: RunTools,
  reports: RunReports,
  stage: Stage,
): Promise<Work> {
  const { signal } = stage
  const wall = await openWall(tools.driver, { id: assignment.runId, workspace: join(stage.dir, 'work') })
  let ended: Pick<Work, 'exitCode' | 'end'> = { exitCode: null, end: null }
  try {
    reports.phase('running')
    const done = await runShell(wall, assignment.command, {
      output: reports.output,
      timeoutMs: stage.left(),
      signal,
    })
    const end = endOfCommand(done, assignment.timeoutMs)
    if (end?.ending === 'cancelled') throw new Error('the run was stopped')
    ended = { exitCode: done.code, end }
    reports.output.say(end === null ? 'The command exited with 0' : end.reason)
    reports.phase('carrying_out')
    const limit = AbortSignal.any([
      signal,
      AbortSignal.timeout(Math.max(Math.ceil(stage.left()), afterDeadlineMs)),
    ])
    return { ...ended, ...(await carryOut(assignment, tools, stage, wall, limit)) }
  } catch (error) {
    if (!(error instanceof GitError) || signal.aborted) throw error
    reports.output.say(error.message)
    // How the command ended comes first: what it did, such as filling the disk, may be why nothing can be taken out.
    const reason = `${error.code}: ${error.message}`
    return { ...nothing, ...ended, end: ended.end ?? { ending: 'execution_failed', reason } }
  } finally {
    await wall.destroy()
  }
}

async function carryOut(
  assignment: Assignment,
  tools: RunTools,
  { mirror, dir }: Stage,
  wall: Awaited<ReturnType<typeof openWall>>,
  signal: AbortSignal,
): Promise<{ taken: TakenIn; commit: string }> {
  const { runId, taskId, title } = assignment
  const base = mirror.base
  const carried = await commitInside(wall, {
    message: title,
    author,
    base,
    taskId,
    runId,
    into: join(dir, 'out'),
    signal,
  })
  const { bundle, commit } = carried
  const taken = await takeIn({ git: tools.git, mirror: mirror.path, bundle, runId, commit, base, signal })
  return { taken, commit }
}

type Kept = { mirror: Mirror; work: Work; end: End; signal: AbortSignal; report?: RunResult['report'] }

/**
 * Puts the work where a person finds it: proven work on the branch, other work on a branch that says so. The hub's
 * grant comes first and the branch is moved by compare-and-swap against what was there before the grant (at first when
 * the run began), so that a run which froze and lost its task meanwhile cannot overwrite a newer one's branch.
 */
async function keep(
  assignment: Assignment,
  tools: RunTools,
  reports: RunReports,
  kept: Kept,
): Promise<RunResult> {
  const { mirror, work, end, signal } = kept
  const { commit, taken } = work
  const isProven = end.ending === 'verified'
  if (commit === null || taken === null) return result(end, mirror, work)
  if (!isProven && taken.changed.files === 0)
    return { ...result(end, mirror, work), report: kept.report ?? null }
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
  return { ...result(end, mirror, work), branch, report: kept.report ?? null }
}

function result(end: End, mirror: Mirror | null, work: Work): RunResult {
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

/** Whether an error says that this worker cannot run the task now, rather than that the task failed. */
export function whyCannotRun(error: unknown): CannotRun | undefined {
  if (error instanceof CannotRun) return error
  if (error instanceof SandboxError)
    return new CannotRun(error.code, `${error.message} ${error.hint ?? ''}`.trim())
  return undefined
}
