import type { RunMessage } from '../agents/socket.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Held } from '../tasks/hold.ts'
import type { Leases } from '../tasks/lease.ts'

type WakeMessage = Extract<RunMessage, { type: 'wake' }>

/**
 * How the wake command of a worker's host goes. Each word starts the time for acceptance anew: the worker is there, and
 * what bounds it are its own four tries, the lease and the deadline.
 */
export async function onWake(
  { leases, events }: { leases: Leases; events: Events },
  tx: Tx,
  actor: Actor,
  held: Held,
  { attempt, state, exitCode, output }: WakeMessage,
): Promise<void> {
  await leases.prolongAcceptance(tx, actor, held)
  if (state === 'trying') return
  const kind = state === 'woken' ? 'task.woken' : 'task.wake_failed'
  const data = { epoch: held.epoch, attempt, exitCode, output }
  await events.publish(tx, actor, { kind, taskId: held.taskId, data })
}
