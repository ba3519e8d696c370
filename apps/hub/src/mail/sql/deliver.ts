/**
 * Puts one message into mailboxes: each gives it its next position and lets go of what is further back than it may hold.
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
    ), entry as (
      insert into mailbox_entries (workspace_id, worker_id, position, seq)
      select $1::uuid, worker_id, last, $3::bigint from box
    )
    delete from mailbox_entries e using box
    where e.workspace_id = $1::uuid and e.worker_id = box.worker_id and e.position <= box.last - $4::bigint`,
}
