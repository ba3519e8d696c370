import type { HeldRun } from '@muster/contract/wire'
import type { Decision } from '../agents/socket.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Leases } from '../tasks/lease.ts'
import * as store from './store.ts'

/** What a worker that (re)connects must do with a run it still holds. */
export async function decide(leases: Leases, tx: Tx, actor: Actor, run: HeldRun): Promise<Decision> {
  const at = { taskId: run.taskId, epoch: run.epoch }
  const held = { ...at, workerId: actor.id ?? '' }
  try {
    await leases.mustHold(tx, actor, held)
  } catch (error) {
    if (!(error instanceof MusterError) || error.code !== 'stale_epoch') throw error
    // A finished run is told to go on: its finish is either recorded already or refused, and both answer it.
    const action = run.phase === 'finished' ? ('continue' as const) : ('abort' as const)
    return { ...at, action, reason: 'A newer run or an end has replaced this one.' }
  }
  if (run.phase !== 'lost') {
    // Told to go on, the worker counts a whole lease; the one in the database may have a second left.
    await leases.renew(tx, actor, held.workerId, [at])
    return { ...at, action: 'continue', reason: 'The lease is still yours.' }
  }
  const reason = 'The worker was restarted and lost the run.'
  await leases.giveBack(tx, actor, held, { reason, lost: true, delaySeconds: 0 })
  await store.endOpen(tx, { workspaceId: actor.workspaceId, ...at, ending: 'lost', reason })
  return { ...at, action: 'abort', reason }
}
