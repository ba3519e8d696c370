import type { Assignment, RunResult } from '@muster/contract/wire'
import { SandboxError } from '@muster/sandbox/sandbox'
import { join } from 'node:path'
import { partialOf } from '@muster/agent/loop/partial'
import { deadlineReason, endOfReport, type End } from './endings.ts'
import type { Executor, Worked } from './executors/executor.ts'
import { openExecutor } from './executors/open-executor.ts'
import { commitInside } from './git/carry-out.ts'
import { GitError } from './git/git-error.ts'
import type { Mirror } from './git/mirror.ts'
import { takeIn } from './git/take-in.ts'
import { keep, nothing, result, type Work } from './keep.ts'
import { CannotRun, prepare } from './prepare.ts'
import { prove } from './prove.ts'
import { authorOf, type RunReports, type RunTools } from './run-tools.ts'
import { openWall } from './wall.ts'

// What carrying work out after a deadline may take; inside the 20 s that the hub waits for the report.
const afterDeadlineMs = 10_000

/**
 * One attempt at a task, from the assignment to its result. `signal` stops it from outside; then nothing is reported.
 *
 * The order is the promise: the executor works in a wall on a clone of its own; the result leaves the wall as a bundle
 * and becomes a commit that cannot change any more; the checks run in another wall on exactly that commit; only then,
 * and only if the hub still counts this run as the newest, does a branch appear in the person's repository. What did not
 * pass goes back to an executor that wants to try again, which then has a wall on its workspace as it left it.
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
  const late: End = { ending: 'timed_out', reason: deadlineReason(assignment.deadlineMs) }
  try {
    reports.phase('preparing')
    const opened = await openExecutor(assignment, reports, tools.hub)
    const mirror = await prepare(assignment, tools, reports, { dir, left: opened.left, signal: stop })
    const stage = { dir, mirror, signal, stop, left, deadline, late }
    return await workAndProve(assignment, tools, reports, opened.executor, stage)
  } catch (error) {
    if (deadline.aborted && !signal.aborted) return result(late, null, nothing)
    // Another worker would find the same repository: this ends the task rather than sending it round.
    if (error instanceof CannotRun && error.code.startsWith('repo_') && error.code !== 'repo_unreachable') {
      return result({ ending: 'refused', reason: `${error.code}: ${error.message}` }, null, nothing)
    }
    throw error
  }
}

type Stage = {
  dir: string
  mirror: Mirror
  signal: AbortSignal
  /** `signal` or the deadline. */
  stop: AbortSignal
  left: () => number
  deadline: AbortSignal
  /** How the run ends when the deadline passes. */
  late: End
}

async function workAndProve(
  assignment: Assignment,
  tools: RunTools,
  reports: RunReports,
  executor: Executor,
  stage: Stage,
): Promise<RunResult> {
  const { mirror, signal, deadline, late } = stage
  for (let round = 1; ; round += 1) {
    const work = await execute(assignment, tools, reports, executor, { ...stage, round })
    const { taken, commit, end, limit } = work
    if (taken === null || commit === null) return result(end ?? late, mirror, work)
    try {
      if (end !== null) return await keep(assignment, tools, reports, { mirror, work, end, signal })
      reports.phase('verifying')
      const at = { ...stage, taken, commit, round }
      const report = await prove(assignment, tools, reports, at)
      const isPassed = report.overall === 'pass' || report.overall === 'auto_pass'
      if (!isPassed && limit === undefined && !deadline.aborted) {
        if (await executor.tryAgain(report, { signal: stage.stop })) continue
      }
      const proven = endOfReport(report, limit, taken.changed.files)
      const isLate = deadline.aborted && proven.ending !== 'verified'
      const kept = { mirror, work, end: isLate ? late : proven, signal, report }
      if (kept.end.ending !== 'partial_pass') return await keep(assignment, tools, reports, kept)
      const partial = partialOf({
        criteria: assignment.loop?.criteria ?? [],
        declared: assignment.checks.map(({ kind, target }) => ({ kind, target })),
        results: report.checks,
        changedFiles: changedPaths(taken.trees),
      })
      return await keep(assignment, tools, reports, { ...kept, partial })
    } catch (error) {
      // Git refuses the commit or the branch: it would again, and the diff must not be lost over it.
      if (!(error instanceof GitError) || stage.stop.aborted) throw error
      reports.output.say(error.message)
      return result({ ending: 'execution_failed', reason: `${error.code}: ${error.message}` }, mirror, work)
    }
  }
}

/** The executor in its wall, and its work out of it. The wall is gone when this returns. */
async function execute(
  assignment: Assignment,
  tools: RunTools,
  reports: RunReports,
  executor: Executor,
  stage: Stage & { round: number },
): Promise<Work & Worked> {
  const { signal, mirror, left, round } = stage
  const id = round === 1 ? assignment.runId : `${assignment.runId}-${round}`
  const wall = await openWall(tools.driver, { id, workspace: join(stage.dir, 'work') })
  let worked: Worked = { exitCode: null, end: null }
  try {
    reports.phase('running')
    worked = await executor.work(wall, { left, base: mirror.base, signal })
    reports.phase('carrying_out')
    const limit = AbortSignal.any([
      signal,
      AbortSignal.timeout(Math.max(Math.ceil(stage.left()), afterDeadlineMs)),
    ])
    return { ...worked, ...(await carryOut(assignment, tools, stage, wall, limit)) }
  } catch (error) {
    if (!(error instanceof GitError) || signal.aborted) throw error
    reports.output.say(error.message)
    // How the work ended comes first: what it did, such as filling the disk, may be why nothing can be taken out.
    const reason = `${error.code}: ${error.message}`
    return { ...nothing, ...worked, end: worked.end ?? { ending: 'execution_failed', reason } }
  } finally {
    await wall.destroy()
  }
}

async function carryOut(
  assignment: Assignment,
  tools: RunTools,
  { mirror, dir, round }: Stage & { round: number },
  wall: Awaited<ReturnType<typeof openWall>>,
  signal: AbortSignal,
): Promise<Pick<Work, 'taken' | 'commit'>> {
  const { taskId, title } = assignment
  const runId = round === 1 ? assignment.runId : `${assignment.runId}-${round}`
  const base = mirror.base
  const author = authorOf(assignment)
  const into = join(dir, round === 1 ? 'out' : `out-${round}`)
  const said = { message: title, author, base, taskId, runId: assignment.runId, into, signal }
  const { bundle, commit } = await commitInside(wall, said)
  const taken = await takeIn({ git: tools.git, mirror: mirror.path, bundle, runId, commit, base, signal })
  return { taken, commit }
}

function changedPaths({ base, commit }: NonNullable<Work['taken']>['trees']): string[] {
  const known = new Map(base.map((entry) => [entry.path, entry.blob]))
  const now = new Map(commit.map((entry) => [entry.path, entry.blob]))
  return [...new Set([...known.keys(), ...now.keys()])].filter((path) => known.get(path) !== now.get(path))
}

/** Whether an error says that this worker cannot run the task now, rather than that the task failed. */
export function whyCannotRun(error: unknown): CannotRun | undefined {
  if (error instanceof CannotRun) return error
  if (error instanceof SandboxError)
    return new CannotRun(error.code, `${error.message} ${error.hint ?? ''}`.trim())
  return undefined
}
