import type { OnError, Rooms } from './hub.ts'
import type { DatabaseDisk } from './kernel/database-disk.ts'
import { createTicker } from './kernel/ticker.ts'
import { closeEnded, type OpenSockets } from './server.ts'

/** The loops: each acts on what the database says, woken by hints and by time. */
export function startLoops(
  {
    assign,
    runs,
    agents,
    mail,
    models,
    identity,
    hints,
    duties,
    leaseMs,
    disk,
  }: Rooms & { disk: DatabaseDisk },
  open: OpenSockets,
  onError: OnError,
) {
  const loop = (everyMs: number, what: string, work: () => Promise<void>) =>
    createTicker({ everyMs, work, onError: onError(`${what} failed; it is tried again`) })
  // Workers of a hub that was away need one lease to come back and renew before theirs are called lost.
  const sweepFrom = performance.now() + leaseMs
  const assignment = loop(1_000, 'assignment', assign)
  const delivery = loop(1_000, 'delivering messages', mail.deliver)
  const orders = loop(1_000, 'passing orders on to workers', agents.deliverOrders)
  const others = [
    orders,
    loop(1_000, 'the sweep of expired leases', async () => {
      if (performance.now() >= sweepFrom) await runs.sweep()
    }),
    loop(1_000, 'looking after endpoints', models.care),
    loop(1_000, 'closing ended sessions', () => closeEnded(identity, open)),
    loop(2_000, 'looking at the disk of the database', disk.look),
    loop(5_000, 'presence', agents.refreshPresence),
    loop(30_000, 'evicting silent workers', agents.evictSilent),
    loop(1_000, 'looking for what is due', () => duties.round(onError)),
  ]
  hints.on('queue', assignment.poke)
  hints.on('mail', delivery.poke)
  hints.on('workers', orders.poke)
  return async () => {
    models.close()
    await Promise.all([assignment, delivery, ...others].map((each) => each.stop()))
    await duties.release().catch(onError('giving up duties failed; their leases run out'))
  }
}
