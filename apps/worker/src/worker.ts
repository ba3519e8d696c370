import type { Assignment, HubMessage, WorkerMessage } from '@muster/contract/wire'
import type { WallStatus } from '@muster/contract/workers'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { keyOf, type HeldRun, type StopCause } from './held-run.ts'
import type { HubLink } from './hub-link.ts'
import type { Journal } from './journal.ts'
import type { Log } from './log.ts'
import { createOutputStream, type Chunk } from './output-stream.ts'
import { createSlots } from './slots.ts'
import { runTask, whyCannotRun } from './run-task.ts'
import type { RunReports, RunTools } from './run-tools.ts'
import { WireError } from './wire-error.ts'

type Welcome = Extract<HubMessage, { type: 'welcome' }>
type Hello = Omit<Extract<WorkerMessage, { type: 'hello' }>, 'id'>

// Every wait on the hub is cut short by the run's own stop, never by a clock of its own.
const renewalsPerLease = 3

/**
 * A worker: takes assignments, keeps their leases alive, runs them, and says how they ended.
 *
 * The lease is watched by this machine's monotonic clock from the moment a renewal was *sent*, so it can only be
 * counted too short. When it runs out the run is stopped and its wall destroyed, whether the hub can be reached or
 * not: from then on the task may be somebody else's. A finished run has no wall any more and only waits to be
 * delivered; the hub takes it or refuses it by its epoch.
 */
export function createWorker(deps: {
  link: () => HubLink
  journal: Journal
  tools: RunTools
  log: Log
  identity: Pick<Hello, 'instance' | 'version' | 'host' | 'slots'>
  walls: () => WallStatus[]
  recheckWalls: () => void
  now: () => number
}) {
  const { journal, log, now } = deps
  const held = new Map<string, HeldRun>()
  const slots = createSlots(deps.identity.slots)
  let leaseMs = 0
  let draining = false

  const stop = (run: HeldRun, cause: StopCause) => {
    if (run.stop.signal.aborted) return
    log.info({ task: run.assignment.taskId, epoch: run.assignment.epoch, cause }, 'a run is stopped')
    run.stop.abort(cause)
  }

  const begin = (assignment: Assignment) => {
    const key = keyOf(assignment)
    if (held.has(key) || draining) return
    const run: HeldRun = {
      assignment,
      stop: new AbortController(),
      phase: 'assigned',
      result: null,
      leaseUntil: now() + leaseMs,
      gone: Promise.resolve(),
    }
    held.set(key, run)
    run.gone = carry(run)
      .catch((error: unknown) =>
        log.error({ err: error, task: assignment.taskId }, 'a run failed unforeseen'),
      )
      .finally(() => held.delete(key))
  }

  /** One assignment from the journal entry to the hub's last answer. */
  async function carry(run: HeldRun): Promise<void> {
    const { assignment, stop } = run
    await journal.begin(assignment)
    const release = await slots.take(stop.signal)
    try {
      await deliver(run, { type: 'accept' })
      run.result = await attempt(run)
      run.phase = 'finished'
      await journal.finish(assignment, run.result)
    } catch (error) {
      if (!stop.signal.aborted && !isRefusal(error)) await handBack(run, error)
    } finally {
      release()
      await rm(join(deps.tools.runsDir, assignment.runId), { recursive: true, force: true })
    }
    if (run.result !== null) await deliverResult(run)
    await journal.forget(assignment.runId)
  }

  async function attempt(run: HeldRun) {
    const { assignment } = run
    // In order and without waiting: a run does not stand still while the hub writes.
    let told = Promise.resolve()
    const tell = (message: Parameters<typeof deliver>[1]) => {
      told = told.then(() => deliver(run, message)).catch((error: unknown) => refused(run, error))
    }
    const output = createOutputStream({
      send: (batch: number, chunks: Chunk[]) => deliver(run, { type: 'output', batch, chunks }),
      onError: (error) => refused(run, error),
    })
    const reports: RunReports = {
      output,
      phase: (phase) => {
        run.phase = phase
        tell({ type: 'phase', phase })
      },
      progress: (text, percent) => {
        const { taskId, epoch } = assignment
        deps.link().tell({ type: 'progress', taskId, epoch, text, percent })
      },
      publish: (branch, commit) => deliver(run, { type: 'publish', branch, commit }),
    }
    const result = await runTask(assignment, deps.tools, reports, run.stop.signal)
    await output.end()
    await told
    return result
  }

  function refused(run: HeldRun, error: unknown): void {
    if (error instanceof WireError && error.code === 'stale_epoch') stop(run, 'lease_lost')
    else if (!run.stop.signal.aborted) log.warn({ err: error }, 'a report of a run was not taken')
  }

  /** The run could not be made; the task goes back, unless its failure is the task's own. */
  async function handBack(run: HeldRun, error: unknown): Promise<void> {
    const cannot = whyCannotRun(error)
    log.warn({ err: error, task: run.assignment.taskId }, 'a run could not be made')
    const reason = (cannot?.message ?? (error instanceof Error ? error.message : String(error))).slice(
      0,
      2_000,
    )
    if (cannot?.code === 'sandbox_unavailable') deps.recheckWalls()
    const refusal = { type: 'refuse' as const, code: cannot?.code ?? 'worker_failed', reason }
    await deliver(run, refusal).catch((failure: unknown) => refused(run, failure))
  }

  async function deliverResult(run: HeldRun): Promise<void> {
    const { assignment, result } = run
    if (result === null) return
    const { taskId, epoch, runId } = assignment
    try {
      // Not tied to the lease: the wall is gone, and the hub's answer is the only thing that can end this.
      await deps.link().deliver({ type: 'finish', taskId, epoch, runId, result }, delivering.signal)
      log.info({ task: taskId, epoch, ending: result.ending }, 'a run was delivered')
    } catch (error) {
      if (error instanceof WireError && error.code === 'aborted') throw error
      log.warn({ err: error, task: taskId, epoch }, 'the hub refused the result of a run')
    }
  }

  type Body<M> = M extends { id: number; taskId: string; epoch: number }
    ? Omit<M, 'id' | 'taskId' | 'epoch'>
    : never
  function deliver(run: HeldRun, body: Body<WorkerMessage>): Promise<void> {
    const { taskId, epoch } = run.assignment
    return deps
      .link()
      .deliver({ ...body, taskId, epoch } as Parameters<HubLink['deliver']>[0], run.stop.signal)
  }

  const delivering = new AbortController()
  const live = () => [...held.values()].filter((run) => run.result === null && !run.stop.signal.aborted)

  async function renew(): Promise<void> {
    const runs = live()
    if (runs.length === 0) return
    const sentAt = now()
    const leases = runs.map(({ assignment: { taskId, epoch } }) => ({ taskId, epoch }))
    const answer = await deps.link().request({ type: 'renew', leases })
    const lost = new Set((answer.type === 'reply' ? (answer.lost ?? []) : []).map(keyOf))
    for (const run of runs) {
      if (lost.has(keyOf(run.assignment))) stop(run, 'lease_lost')
      else run.leaseUntil = sentAt + leaseMs
    }
  }

  let renewing: NodeJS.Timeout | undefined
  let watching: NodeJS.Timeout | undefined

  return {
    hello: (): Hello => ({
      type: 'hello',
      wire: 1,
      ...deps.identity,
      walls: deps.walls(),
      holding: [...held.values()].map(({ assignment: { taskId, epoch, runId }, phase }) => ({
        taskId,
        epoch,
        runId,
        phase,
      })),
    }),

    onWelcome(welcome: Welcome): void {
      leaseMs = welcome.leaseMs
      for (const decision of welcome.decisions) {
        const run = held.get(keyOf(decision))
        if (run === undefined) continue
        if (decision.action === 'abort') stop(run, 'lease_lost')
        else run.leaseUntil = now() + leaseMs
        if (run.phase === 'lost')
          void journal.forget(run.assignment.runId).then(() => held.delete(keyOf(decision)))
      }
      clearInterval(renewing)
      clearInterval(watching)
      renewing = setInterval(() => void renew().catch(() => {}), leaseMs / renewalsPerLease)
      watching = setInterval(() => {
        for (const run of live()) if (now() > run.leaseUntil) stop(run, 'lease_lost')
      }, 250)
    },

    onMessage(message: Extract<HubMessage, { type: 'assign' | 'cancel' }>): void {
      if (message.type === 'assign') return begin(message.assignment)
      const run = held.get(keyOf(message))
      if (run !== undefined) stop(run, 'cancelled')
    },

    /** What an earlier process of this worker left: results are delivered, the rest is said to be lost. */
    async recover(): Promise<void> {
      for (const { assignment, result } of await journal.recover()) {
        const phase = result === null ? ('lost' as const) : ('finished' as const)
        const run = {
          assignment,
          result,
          phase,
          stop: new AbortController(),
          leaseUntil: 0,
          gone: Promise.resolve(),
        }
        held.set(keyOf(assignment), run)
        if (result === null) run.stop.abort('lease_lost')
      }
    },

    /** After the first connection: the results that an earlier process could not deliver. */
    deliverRecovered(): void {
      for (const run of held.values()) {
        if (run.phase !== 'finished') continue
        run.gone = deliverResult(run)
          .then(() => journal.forget(run.assignment.runId))
          .catch((error: unknown) => log.warn({ err: error }, 'a recovered result stays in the journal'))
          .finally(() => held.delete(keyOf(run.assignment)))
      }
    },

    /** Stops every run and waits until nothing of them is left. Their leases run out or the next start reports them. */
    async close(): Promise<void> {
      draining = true
      clearInterval(renewing)
      clearInterval(watching)
      for (const run of held.values()) stop(run, 'shutdown')
      delivering.abort()
      await Promise.all([...held.values()].map((run) => run.gone))
    },
  }
}

/** Refusals by which the hub ends a run; there is nobody to hand it back to. */
function isRefusal(error: unknown): boolean {
  return error instanceof WireError && error.code !== 'disconnected'
}
