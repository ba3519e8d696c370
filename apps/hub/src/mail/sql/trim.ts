/**
 * The oldest messages of a workspace go when there are too many, out of mailboxes too: what a workspace can take up is
 * bounded whoever does not read. The gap in positions tells the agent.
 */
export const trim = {
  name: 'mail_trim',
  text: `with old as (
      select seq from messages where workspace_id = $1 order by seq limit $2
    ), unread as (
      delete from mailbox_entries where workspace_id = $1 and seq in (select seq from old)
    )
    delete from messages where workspace_id = $1 and seq in (select seq from old)`,
}
