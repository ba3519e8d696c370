import type { CheckResult, Proof } from '@muster/contract/checks'
import type { Ending } from '@muster/contract/task-states'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { mustHold, type Held } from './hold.ts'
import { maxLosses } from './limits.ts'
import { afterRun, retryDelayMs } from './retry-policy.ts'
import * as fence from './sql/fence.ts'
import * as store from './store.ts'

/** `lost` counts against the bound on vanished runs; `delaySeconds` keeps the task from being claimed at once. */
export type Back = { reason: string; lost: boolean; delaySeconds: number; raiseEpoch?: boolean }

export type Failed = {
  ending: Ending
  reason: string
  /** When the run did not say so itself: nothing it still says may count. */
  raiseEpoch: boolean
  branch?: string | null
  commit?: string | null
  checks?: CheckResult[]
  proof?: Proof | null
}

export type GiveBack = ReturnType<typeof createGiveBack>

/** Leases that end without their task being done: another try, or the end. */
export function createGiveBack({ events, hints }: { events: Events; hints: Hints }) {
  return {
    /** The worker holds the lease but cannot or could not run the task. */
    async giveBack(tx: Tx, actor: Actor, held: Held, why: Back): Promise<void> {
      await mustHold(tx, actor, held)
      await backOrDead(tx, actor, held.taskId, why)
    },

    backOrDead,
    failed,
    die,
  }

  /** The queue row is locked already: by mustHold, or by the sweep. */
  async function backOrDead(tx: Tx, actor: Actor, id: string, why: Back): Promise<void> {
    const task = await store.lock(tx, id)
    if (task === undefined) return
    if (why.lost && task.losses + 1 >= maxLosses) {
      const reason = `${why.reason} This happened ${maxLosses} times.`
      return die(tx, actor, task, { ending: 'lost', reason, raiseEpoch: true })
    }
    const { workspaceId } = actor
    const raiseEpoch = why.raiseEpoch === true
    await tx.query(fence.giveBack, [workspaceId, id, why.delaySeconds, raiseEpoch])
    const counts = why.lost ? ('loss' as const) : ('nothing' as const)
    await store.requeue(tx, { workspaceId, id, reason: why.reason, counts, raiseEpoch })
    await events.publish(tx, actor, {
      kind: 'task.requeued',
      taskId: id,
      data: { reason: why.reason, epoch: task.epoch, lost: why.lost },
    })
    tx.afterCommit(() => hints.send('queue'))
  }

  /** A run failed: again later while there are tries left, else the task is dead and waits for a person. */
  async function failed(tx: Tx, actor: Actor, task: store.StoredTask, end: Failed): Promise<void> {
    if (afterRun(end.ending, task) !== 'retry') return die(tx, actor, task, end)
    const { workspaceId } = actor
    const failures = task.failures + 1
    const delayMs = retryDelayMs(failures, spreadOf(task.id, failures))
    const tries = `Try ${failures} of ${task.retries + 1} ended as ${end.ending}`
    await tx.query(fence.giveBack, [workspaceId, task.id, delayMs / 1000, end.raiseEpoch])
    await store.requeue(tx, {
      ...end,
      workspaceId,
      id: task.id,
      reason: `${tries}: ${end.reason}`,
      counts: 'failure',
    })
    const { ending, reason } = end
    await events.publish(tx, actor, {
      kind: 'task.retrying',
      taskId: task.id,
      data: { ending, reason, epoch: task.epoch, failures, retries: task.retries, delayMs },
    })
    tx.afterCommit(() => hints.send('queue'))
  }

  /** The queue row is locked already, if there is one. */
  async function die(tx: Tx, actor: Actor, task: store.StoredTask, end: Failed): Promise<void> {
    const { workspaceId } = actor
    await tx.query(fence.leave, [workspaceId, task.id])
    await store.end(tx, { ...end, workspaceId, id: task.id, state: 'dead' })
    const { ending, reason, commit = null, branch = null } = end
    const data = { ending, reason, commit, branch, epoch: task.epoch }
    await events.publish(tx, actor, { kind: 'task.dead', taskId: task.id, data })
    tx.afterCommit(() => hints.send('queue'))
  }
}

/** From 0 to 1, the same for the same try of the same task: a replayed transaction waits as long as the first. */
function spreadOf(id: string, failures: number): number {
  return ((Number.parseInt(id.slice(-8), 16) + failures * 2_654_435_761) % 1_000) / 1_000
}
