/**
 * Puts one message into mailboxes. Each gives it its next position, and with it a slot of the ring that a mailbox is:
 * what was in there is the message that is let go. Found by key, whatever the planner knows about the tables; deleting
 * what is too far back made it read every entry of the workspace (measured: 173 instead of 79 ms for 999 full mailboxes).
 *
 * One statement however many recipients there are, because the workspace's other posts wait meanwhile. No two of them
 * lock mailboxes at once (the head is locked), and an `ack` locks one, so there is no cycle.
 */
export const deliver = {
  name: 'mail_deliver',
  text: `with box as (
      insert into mailboxes (workspace_id, worker_id, last)
      select $1::uuid, worker_id, 1 from unnest($2::uuid[]) as worker_id
      on conflict (workspace_id, worker_id) do update set last = mailboxes.last + 1
      returning worker_id, last
    )
    insert into mailbox_entries (workspace_id, worker_id, slot, position, seq)
    select $1::uuid, worker_id, last % $4::bigint, last, $3::bigint from box
    on conflict (workspace_id, worker_id, slot)
    do update set position = excluded.position, seq = excluded.seq, at = excluded.at`,
}
