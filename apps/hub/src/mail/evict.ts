import type { Tx } from '../kernel/db.ts'

// So that one round of a long-forgotten installation does not hold its locks for minutes; the next round goes on.
const atOnce = 10_000

/** Takes out of the mailboxes what has waited unread for too long; the history keeps it as long as it keeps anything. */
export async function evict(tx: Tx, days: number): Promise<void> {
  await tx.query(
    `delete from mailbox_entries where (workspace_id, worker_id, slot) in (
       select workspace_id, worker_id, slot from mailbox_entries
       where at < now() - make_interval(days => $1) order by at limit ${atOnce})`,
    [days],
  )
}
