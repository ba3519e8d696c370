import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import * as store from './store.ts'

/** An agent as the others of its workspace see it. */
export type Present = { workspaceId: string; id: string; name: string; status: string; online: boolean }

/** Who is here and what they say they do, as the other agents see it. */
export function createRoll({ events, hints }: { events: Events; hints: Hints }) {
  return {
    /** Who is there, for the other agents; what a worker can do is not their business. */
    async roll(tx: Tx) {
      return (await store.list(tx)).map(({ name, status, fresh, last_seen_at }) => ({
        name,
        status,
        online: fresh,
        lastSeenAt: last_seen_at?.toISOString() ?? null,
      }))
    },

    async idOf(tx: Tx, name: string): Promise<string | undefined> {
      return (await tx.query<{ id: string }>('select id from workers where name = $1', [name]))[0]?.id
    },

    /** Ids of those who are still around: a machine that went away for good is not written to for ever. */
    async reachable(tx: Tx, days: number): Promise<string[]> {
      return (await tx.query<{ id: string }>(store.reachable, [days])).map((row) => row.id)
    },

    async present(tx: Tx, workspaceIds: string[]): Promise<Present[]> {
      const rows = await tx.query<store.WorkerRow & { workspace_id: string }>(store.present, [workspaceIds])
      return rows.map(({ workspace_id, id, name, status, fresh }) => ({
        workspaceId: workspace_id,
        id,
        name,
        status,
        online: fresh,
      }))
    },

    async setStatus(tx: Tx, actor: Actor, workerId: string, status: string): Promise<void> {
      if (!(await store.setStatus(tx, workerId, status))) return
      await events.publish(tx, actor, { kind: 'worker.status_changed', data: { workerId, status } })
      tx.afterCommit(() => hints.send('mail'))
    },
  }
}
