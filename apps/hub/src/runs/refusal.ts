import type { RunMessage } from '../agents/socket.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Held } from '../tasks/hold.ts'
import type { Leases } from '../tasks/lease.ts'
import { refusedDelaySeconds } from '../tasks/limits.ts'
import * as store from './store.ts'

type Refuse = Extract<RunMessage, { type: 'refuse' }>

export type Meaning = {
  /** A loss and a failure are each bounded, so that neither can go on for ever. */
  counts: 'nothing' | 'loss' | 'failure'
  delaySeconds: number
  ending: 'refused' | 'lost'
}

/**
 * What becomes of a task that its worker gave back, by the code it gave. What lies in the worker and passes (no wall, a
 * full disk, a restart) is waited for and held against nobody. A host that cannot be woken fails the attempt, as a command
 * that cannot be run would (PIPE-07). Everything else is a loss, also a model that does not answer: the next run goes on
 * behind the last step, and may ask another endpoint.
 */
export function meaningOf(code: string): Meaning {
  switch (code) {
    case 'sandbox_unavailable':
    case 'disk_full':
      return { counts: 'nothing', delaySeconds: refusedDelaySeconds, ending: 'refused' }
    case 'worker_restarting':
      return { counts: 'nothing', delaySeconds: 0, ending: 'refused' }
    case 'run_lost':
      return { counts: 'loss', delaySeconds: 0, ending: 'lost' }
    case 'wake_failed':
      return { counts: 'failure', delaySeconds: 0, ending: 'refused' }
    default:
      return { counts: 'loss', delaySeconds: refusedDelaySeconds, ending: 'refused' }
  }
}

const nothing = { branch: null, commit: null, checks: [], proof: null }

export async function onRefuse(
  leases: Leases,
  tx: Tx,
  actor: Actor,
  held: Held,
  message: Refuse,
): Promise<void> {
  const reason = `${message.code}: ${message.reason}`
  const { counts, delaySeconds, ending } = meaningOf(message.code)
  if (counts === 'failure') {
    await leases.complete(tx, actor, held, { ...nothing, ending: 'execution_failed', reason })
  } else {
    await leases.giveBack(tx, actor, held, { reason, delaySeconds, lost: counts === 'loss' })
  }
  const { taskId, epoch } = held
  await store.endOpen(tx, { workspaceId: actor.workspaceId, taskId, epoch, ending, reason })
}
