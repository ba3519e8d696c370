import { systemActor } from '../kernel/actor.ts'
import type { Db } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import type { Settle } from './settle.ts'

type Silent = { workspace_id: string; id: string; name: string; last_seen_at: Date }

/**
 * The reaper (SIDE-02). A hub says every 5 s who is connected to it, and records who leaves; one that was killed does
 * neither. Whoever has not been seen for 60 s is evicted by any living hub: SKIP LOCKED gives each to one of them.
 *
 * A worker that is evicted and connected after all, because the database was away for so long, is put right by its own
 * hub: its next round of presence finds the row no longer its own and ends the socket, and the worker says hello again.
 */
export function createEviction(deps: { db: Db; events: Events; hints: Hints; settle: Settle }) {
  const { db, events, hints } = deps
  return {
    async evictSilent(): Promise<void> {
      await db.asSystem(async (tx) => {
        for (const { workspace_id, id, name, last_seen_at } of await tx.query<Silent>(evict)) {
          const actor = systemActor(workspace_id)
          const data = { workerId: id, worker: name, lastSeenAt: last_seen_at.toISOString() }
          await events.publish(tx, actor, { kind: 'worker.evicted', data })
          await deps.settle(tx, actor, id, 'It was silent for 60 s, and so was the hub that held it.')
          tx.afterCommit(() => hints.send('mail'))
        }
      })
    },
  }
}

const evict = {
  name: 'workers_evict',
  text: `with silent as (
           select workspace_id, id from workers
           where connected_hub is not null and last_seen_at < now() - interval '60 seconds'
           order by last_seen_at limit 100
           for update skip locked
         )
         update workers w set connected_hub = null from silent
         where w.workspace_id = silent.workspace_id and w.id = silent.id
         returning w.workspace_id, w.id, w.name, w.last_seen_at`,
}
