import type { HubMessage } from '@muster/contract/wire'
import type { HubLink } from './hub-link.ts'
import type { Log } from './log.ts'

/**
 * None of our executors reads messages yet, so this worker notes that one came and takes it out of its mailbox, which
 * would otherwise be sent in full after each reconnect. Its text stays in the history, for people and later readers.
 * An acknowledgement that is lost with the connection is made up for when the message comes again.
 */
export function takeMessage(
  link: Pick<HubLink, 'request'>,
  log: Pick<Log, 'info'>,
  { cursor, message }: Extract<HubMessage, { type: 'message' }>,
): void {
  log.info({ from: message.from, id: message.id, cursor }, 'a message came; nobody here reads it')
  void link.request({ type: 'mail_ack', cursor }).catch(() => {})
}
