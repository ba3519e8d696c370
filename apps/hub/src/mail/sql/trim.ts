/**
 * The oldest messages of a workspace go when there are too many, out of mailboxes too: what a workspace can take up is
 * bounded whoever does not read. The gap in positions tells the agent.
 *
 * Without a name, so that it is planned for the number that goes, which is one: a plan for any number reads whole tables
 * (measured: 62 instead of 4 ms for a post).
 */
export const trim = `with old as (
    select seq from messages where workspace_id = $1 order by seq limit $2
  ), unread as (
    delete from mailbox_entries where workspace_id = $1 and seq in (select seq from old)
  )
  delete from messages where workspace_id = $1 and seq in (select seq from old)`
