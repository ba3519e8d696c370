import { systemActor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Agents } from '../agents/agents.ts'
import type { GiveBack } from './give-back.ts'
import { acceptMs, deadlineGraceMs, type QueueLimits } from './limits.ts'
import { lockExpired, type ExpiredRow } from './sql/expired.ts'
import * as store from './store.ts'

const lostReasons = {
  lease_expired: 'The worker stopped renewing its lease; the run is lost.',
  not_accepted: 'The worker did not accept the task within 60 s.',
}
const failedReasons = {
  deadline: {
    ending: 'timed_out' as const,
    reason: 'The deadline passed and the worker did not report the end itself.',
  },
  no_progress: {
    ending: 'stalled' as const,
    reason: 'The run said nothing about its work for too long.',
  },
}

/** How the run of such a lease ended. */
export function endingOf(cause: ExpiredRow['cause']): 'lost' | 'timed_out' | 'stalled' {
  return cause === 'deadline' || cause === 'no_progress' ? failedReasons[cause].ending : 'lost'
}

/**
 * Ends the leases that ran out, by the database's clock, on any hub at any time: what one leaves another finds. A
 * lost run's late result is still taken while nobody newer holds the task; a run that failed by a clock raises the
 * epoch, because its result must not come after its end. Answers what it ended, so that the room above can end the
 * runs.
 */
export function createSweep(deps: { agents: Agents; giveBack: GiveBack; limits: QueueLimits }) {
  const { agents, giveBack, limits } = deps
  return async function sweep(tx: Tx): Promise<ExpiredRow[]> {
    const { noProgressMs } = limits
    const expired = await lockExpired(tx, { acceptMs, deadlineGraceMs, noProgressMs, limit: 100 })
    for (const { workspace_id: workspaceId, task_id: id, worker_id: workerId, cause } of expired) {
      const actor = systemActor(workspaceId)
      if (cause === 'deadline' || cause === 'no_progress') {
        const task = await store.lock(tx, id)
        if (task !== undefined)
          await giveBack.failed(tx, actor, task, { ...failedReasons[cause], raiseEpoch: true })
      } else {
        if (cause === 'not_accepted') await agents.flag(tx, actor, workerId)
        await giveBack.backOrDead(tx, actor, id, { reason: lostReasons[cause], lost: true, delaySeconds: 0 })
      }
    }
    return expired
  }
}
