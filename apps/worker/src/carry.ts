import type { Assignment } from '@muster/contract/wire'
import type { Blocked } from '@muster/contract/workers'
import { isNoRoom } from './disk-room.ts'
import { fitResult } from './fit-result.ts'
import type { HeldRun, StopCause } from './held-run.ts'
import type { HubLink } from './hub-link.ts'
import type { Journal } from './journal.ts'
import type { Log } from './log.ts'
import { createReports, deliver, onRefused } from './reports.ts'
import { Parked } from './executors/executor.ts'
import { whyCannotRun } from './run-task.ts'
import type { Runner } from './runner.ts'
import type { Slots } from './slots.ts'
import { WireError } from './wire-error.ts'

// The hub is there or it is not; a restart does not wait for one that is away.
const sayLostWithinMs = 3_000

type Deps = {
  link: () => HubLink
  journal: Journal
  runner: Runner
  slots: Slots
  log: Log
  /** Why no work may be taken right now, looked up anew. */
  room: () => Promise<Blocked | null>
  /** Wakes what runs need here; answers a sentence for the output of the run. */
  wake: (run: HeldRun) => Promise<string | null>
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
  const refusal = await takeDown(deps, assignment)
  if (refusal !== null) return refuse(deps, run, refusal)
  let release = () => {}
  try {
    release = await deps.slots.take(stop.signal)
    const woken = await deps.wake(run)
    await deliver(deps.link(), run, { type: 'accept' })
    const reports = createReports(deps.link(), run, log)
    if (woken !== null) reports.output.say(woken)
    run.result = await runner.run(assignment, reports, stop.signal)
    // Before its last output is delivered: while the hub is away that may take as long as the lease lasts.
    await journal
      .finish(assignment, run.result)
      // Only if the worker died before the delivery would the run be done again; that is no reason to lose it now.
      .catch((error: unknown) => log.warn({ err: error, task: assignment.taskId }, 'a result is not on disk'))
    await reports.settled()
    run.phase = 'finished'
  } catch (error) {
    if (!stop.signal.aborted && !isRefusal(error)) {
      if (error instanceof Parked) await park(deps, run, error)
      else await handBack(deps, run, error)
    }
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
  else if (stop.signal.reason === ('restart' satisfies StopCause)) {
    if (!(await sayLost(deps, run))) return
    await runner.withdraw(assignment)
  } else await runner.withdraw(assignment)
  await journal.forget(assignment.runId)
}

/** The assignment on disk, or why it cannot be taken; then nothing of it was acted on. */
async function takeDown({ room, journal }: Deps, assignment: Assignment): Promise<Blocked | null> {
  const blocked = await room()
  if (blocked !== null) return blocked
  try {
    await journal.begin(assignment)
    return null
  } catch (error) {
    if (!isNoRoom(error)) throw error
    return { code: 'disk_full', reason: 'The assignment could not be written down: the disk is full.' }
  }
}

/** Says of a run that was stopped for a restart that it is lost, so that its task need not wait for the lease. */
async function sayLost({ link, log }: Deps, { assignment }: HeldRun): Promise<boolean> {
  const { taskId, epoch } = assignment
  const reason = 'The worker restarts and the run had not ended in time.'
  const message = { type: 'refuse' as const, taskId, epoch, code: 'run_lost', reason }
  try {
    await link().deliver(message, AbortSignal.timeout(sayLostWithinMs))
    return true
  } catch (error) {
    // In the journal it stays what it is, and the next start says so.
    log.warn({ err: error, task: taskId }, 'the hub could not be told that a run is lost')
    return false
  }
}

/** An assignment that is not taken, with the reason; the task goes back at once. */
export async function refuse(
  { link, log }: Pick<Deps, 'link' | 'log'>,
  run: HeldRun,
  { code, reason }: { code: string; reason: string },
): Promise<void> {
  log.warn({ task: run.assignment.taskId, code, reason }, 'an assignment is refused')
  await deliver(link(), run, { type: 'refuse', code, reason }).catch((error: unknown) =>
    onRefused(run, error, log),
  )
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

/** The run waits for something that comes by itself; its steps are recorded, and a later run goes on behind them. */
async function park({ link, log }: Deps, run: HeldRun, { delayMs, message }: Parked): Promise<void> {
  log.info({ task: run.assignment.taskId, delayMs, reason: message }, 'a run is parked')
  const said = { type: 'park' as const, delayMs: Math.ceil(delayMs), reason: message.slice(0, 2_000) }
  await deliver(link(), run, said).catch((error: unknown) => onRefused(run, error, log))
}

/** The run could not be made here; the task goes back and the reason with it. */
async function handBack(deps: Deps, run: HeldRun, error: unknown): Promise<void> {
  const cannot = whyCannotRun(error)
  if (cannot === undefined)
    deps.log.error({ err: error, task: run.assignment.taskId }, 'a run could not be made')
  const reason = (cannot?.message ?? (error instanceof Error ? error.message : String(error))).slice(0, 2_000)
  if (cannot?.code === 'sandbox_unavailable') deps.recheckWalls()
  await refuse(deps, run, { code: cannot?.code ?? 'worker_failed', reason })
}

/** Refusals by which the hub ends a run; there is nobody to hand it back to. */
function isRefusal(error: unknown): boolean {
  return error instanceof WireError && error.code !== 'disconnected'
}
