import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Held } from '../tasks/hold.ts'
import { mayTryAgain, type Leases } from '../tasks/lease.ts'
import { agentOf, branchesOf } from './branches.ts'
import { whyNotProven } from './evidence.ts'
import type { Finish } from './finish.ts'
import { closeLines } from './step-store.ts'
import * as store from './store.ts'

export type Finishing = { actor: Actor; held: Held; message: Finish }

/**
 * The plain ends of runs, many in one transaction: the lease is held, the run is its own, and the task is done with
 * proof or dead for good. Answers those that it ended. Every other end (lost, to be tried again, late, not proven,
 * repeated) is rare and is left to finish.ts, which says what each means.
 */
export function createEndings({ leases }: { leases: Leases }) {
  return async function end(tx: Tx, workspaceId: string, finishing: Finishing[]): Promise<Finishing[]> {
    if (finishing.length === 0) return []
    const [tasks, runs] = await Promise.all([
      leases.lockToEnd(
        tx,
        finishing.map(({ held }) => held.taskId),
      ),
      store.findAll(
        tx,
        finishing.map(({ message }) => message.runId),
      ),
    ])
    const plain = finishing.filter((each) => {
      const task = tasks.find(({ id }) => id === each.held.taskId)
      const run = runs.find(({ id }) => id === each.message.runId)
      return task !== undefined && run !== undefined && isPlain(each, task, run)
    })
    if (plain.length === 0) return []
    await Promise.all([
      leases.completeAll(
        tx,
        plain.map(({ actor, held, message: { result } }) => {
          const { ending, reason, branch, commit, report } = result
          const seen = { checks: report?.checks ?? [], proof: report?.proof ?? null }
          return { actor, held, result: { ending, reason, branch, commit, ...seen } }
        }),
      ),
      store.finishAll(
        tx,
        workspaceId,
        plain.map(({ message }) => message),
      ),
      store.insertEvidence(tx, workspaceId, plain.flatMap(evidenceOf)),
      closeLines(
        tx,
        runs.flatMap(({ id, line, task_id }) =>
          line !== null && plain.some(({ message }) => message.runId === id) ? [task_id] : [],
        ),
      ),
    ])
    return plain
  }
}

/** A task whose end is decided, locked. */
type ToEnd = Awaited<ReturnType<Leases['lockToEnd']>>[number]

function isPlain({ held, message: { result } }: Finishing, task: ToEnd, run: store.RunRow): boolean {
  const isOurs = run.task_id === held.taskId && run.epoch === held.epoch && run.worker_id === held.workerId
  if (!isOurs || result.ending === 'lost' || result.ending === 'cancelled') return false
  if (result.ending !== 'verified') return !mayTryAgain(result.ending, task)
  // Work that did not pass is kept on another branch; a commit granted that one is not the proven one.
  if (run.branch !== branchesOf(agentOf(task.spec), task).branch) return false
  const wanted = { declaredChecks: task.spec.checks, allowEmpty: task.spec.allowEmpty }
  return whyNotProven(result, run, wanted) === undefined
}

function evidenceOf({ held, message: { runId, result } }: Finishing): store.Evidence[] {
  const { ending, commit, report } = result
  if (ending !== 'verified' || report === null || commit === null) return []
  return [{ taskId: held.taskId, runId, commit, report }]
}
