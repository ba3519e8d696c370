import { fitResult } from './fit-result.ts'
import type { HeldRun, StopCause } from './held-run.ts'
import type { HubLink } from './hub-link.ts'
import type { Journal } from './journal.ts'
import type { Log } from './log.ts'
import { createReports, deliver, onRefused } from './reports.ts'
import { whyCannotRun } from './run-task.ts'
import type { Runner } from './runner.ts'
import type { Slots } from './slots.ts'
import { WireError } from './wire-error.ts'

type Deps = {
  link: () => HubLink
  journal: Journal
  runner: Runner
  slots: Slots
  log: Log
  recheckWalls: () => void
  /** Aborted when the worker stops; only that ends the delivery of a result. */
  closing: AbortSignal
}

/**
 * Carries one assignment from the journal entry to the hub's last answer. Whatever happens in between, the directory
 * and the slot are given back, and the journal entry goes only when nothing is left to say.
 */
export async function carry(deps: Deps, run: HeldRun): Promise<void> {
  const { journal, runner, log } = deps
  const { assignment, stop } = run
  await journal.begin(assignment)
  let release = () => {}
  try {
    release = await deps.slots.take(stop.signal)
    await deliver(deps.link(), run, { type: 'accept' })
    const reports = createReports(deps.link(), run, log)
    run.result = await runner.run(assignment, reports, stop.signal)
    // Before its last output is delivered: while the hub is away that may take as long as the lease lasts.
    await journal.finish(assignment, run.result)
    await reports.settled()
    run.phase = 'finished'
  } catch (error) {
    if (!stop.signal.aborted && !isRefusal(error)) await handBack(deps, run, error)
  } finally {
    release()
    // What cannot be removed must not keep the result from the hub; the next start tries again.
    await runner
      .tidy(assignment.runId)
      .catch((error: unknown) =>
        log.warn({ err: error, run: assignment.runId }, 'the directory of a run could not be removed'),
      )
  }
  if (run.phase === 'finished') await deliverResult(deps, run)
  // Not when the worker stops: the next start says that the run is lost, and nobody waits for its lease to run out.
  else if (stop.signal.reason === ('shutdown' satisfies StopCause)) return
  else await runner.withdraw(assignment)
  await journal.forget(assignment.runId)
}

/** Not tied to the lease: the wall is gone, and the hub's answer, yes or no, is the only thing that can end this. */
export async function deliverResult(deps: Deps, run: HeldRun): Promise<void> {
  const { link, closing, log } = deps
  const { result, assignment } = run
  if (result === null) return
  const { taskId, epoch, runId } = assignment
  try {
    const fitting = fitResult(result)
    await link().deliver({ type: 'finish', taskId, epoch, runId, result: fitting }, closing)
    log.info({ task: taskId, epoch, ending: result.ending }, 'a run was delivered')
  } catch (error) {
    if (error instanceof WireError && error.code === 'aborted') throw error
    log.warn({ err: error, task: taskId, epoch }, 'the hub refused the result of a run')
    await deps.runner.withdraw(assignment)
  }
}

/** The run could not be made here; the task goes back and the reason with it. */
async function handBack(deps: Deps, run: HeldRun, error: unknown): Promise<void> {
  const cannot = whyCannotRun(error)
  deps.log.warn({ err: error, task: run.assignment.taskId }, 'a run could not be made')
  const reason = (cannot?.message ?? (error instanceof Error ? error.message : String(error))).slice(0, 2_000)
  if (cannot?.code === 'sandbox_unavailable') deps.recheckWalls()
  const refusal = { type: 'refuse' as const, code: cannot?.code ?? 'worker_failed', reason }
  await deliver(deps.link(), run, refusal).catch((failure: unknown) => onRefused(run, failure, deps.log))
}

/** Refusals by which the hub ends a run; there is nobody to hand it back to. */
function isRefusal(error: unknown): boolean {
  return error instanceof WireError && error.code !== 'disconnected'
}
