import type { RunResult, WorkerMessage } from '@muster/contract/wire'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import { stale, type Held } from '../tasks/hold.ts'
import type { Leases } from '../tasks/lease.ts'
import type { Tasks } from '../tasks/tasks.ts'
import { agentOf, branchesOf } from './branches.ts'
import { whyNotProven } from './evidence.ts'
import { closeLines } from './step-store.ts'
import * as store from './store.ts'

export type Finish = Extract<WorkerMessage, { type: 'finish' }>

/**
 * The end of a run: task, run, event and, when it is proven, evidence, in one transaction behind the fence. A worker
 * repeats its finish until it is answered, so one that is recorded already must answer yes, and exactly that one.
 */
export function createFinish(deps: { db: Db; tasks: Tasks; leases: Leases; events: Events }) {
  const { db, leases, events } = deps

  return async function finish(actor: Actor, held: Held, message: Finish): Promise<void> {
    try {
      await db.inWorkspace(actor.workspaceId, (tx) => record(tx, actor, held, message))
    } catch (error) {
      if (!(error instanceof MusterError) || error.code !== 'stale_epoch') throw error
      if (!(await db.inWorkspace(actor.workspaceId, (tx) => isRecorded(tx, actor, message)))) throw error
    }
  }

  async function record(tx: Tx, actor: Actor, held: Held, { runId, result }: Finish): Promise<void> {
    // The lease is locked before the run is looked at: a sweep that takes the lease in between has then ended the run too,
    // and its result is seen to be late. The other way round it would be thrown away.
    const [isHeld, run] = await Promise.all([leases.hold(tx, actor, held), store.find(tx, runId)])
    const isOurs =
      run !== undefined &&
      run.task_id === held.taskId &&
      run.epoch === held.epoch &&
      run.worker_id === held.workerId
    // Without a run of its own the lease may still be somebody's: then the fence says so.
    if (!isOurs) {
      if (!isHeld) throw stale(held)
      throw new MusterError('protocol_violation', `Run ${runId} is not the one of this lease.`)
    }
    // Lost to everybody but its worker: what it brings after all may still be the newest word on the task. Any other
    // end was said by the worker itself, and a repeated finish must not count twice.
    const isLate = run.ending === 'lost' && result.ending !== 'lost' && result.ending !== 'cancelled'
    if (!isHeld && !isLate) throw stale(held)
    if (!isHeld) await leases.takeUp(tx, actor, held)
    if (result.ending === 'lost' || result.ending === 'cancelled') {
      await leases.giveBack(tx, actor, held, { reason: result.reason, lost: true, delaySeconds: 0 })
      return store.finish(tx, actor.workspaceId, runId, result)
    }
    if (result.ending === 'verified') await mustBeProven(tx, held, run, result)
    const { ending, reason, branch, commit, report } = result
    await leases.complete(tx, actor, held, {
      ending,
      reason,
      branch,
      commit,
      checks: report?.checks ?? [],
      proof: report?.proof ?? null,
    })
    await store.finish(tx, actor.workspaceId, runId, result)
    if (run.line !== null) await closeLines(tx, [held.taskId])
    if (ending === 'verified' && report !== null && commit !== null) {
      await store.insertEvidence(tx, actor.workspaceId, [{ taskId: held.taskId, runId, commit, report }])
    }
  }

  async function mustBeProven(tx: Tx, held: Held, run: store.RunRow, result: RunResult): Promise<void> {
    const task = await deps.tasks.get(tx, held.taskId)
    // Work that did not pass is kept on another branch; a commit granted that one is not the proven one.
    const isKept = run.branch !== branchesOf(agentOf(task), task).branch
    const granted = isKept ? { commit: null, branch: null } : run
    const why = whyNotProven(result, granted, task)
    if (why !== undefined) throw new MusterError('protocol_violation', `This run is not proven: ${why}.`)
  }

  /** Any finish but the recorded one is stale: it changes nothing and leaves a trace. */
  async function isRecorded(
    tx: Tx,
    actor: Actor,
    { taskId, epoch, runId, result }: Finish,
  ): Promise<boolean> {
    const run = await store.find(tx, runId)
    const isSame =
      run !== undefined &&
      run.task_id === taskId &&
      run.epoch === epoch &&
      run.ending === result.ending &&
      run.commit === result.commit
    if (!isSame) {
      const data = { epoch, ending: result.ending }
      await events.publish(tx, actor, { kind: 'run.refused_stale', taskId, runId, data })
    }
    return isSame
  }
}
