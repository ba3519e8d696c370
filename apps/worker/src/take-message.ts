import type { HubMessage } from '@muster/contract/wire'
import type { HubLink } from './hub-link.ts'
import type { Log } from './log.ts'

/**
 * None of our executors reads messages yet, so this worker notes that one came and takes it out of its mailbox, which
 * would otherwise be sent in full after each reconnect. Its text stays in the history, for people and later readers.
 * A message may come before the welcome has been looked at, so the acknowledgement waits for that.
 */
export function takeMessage(
  { link, log, closing }: { link: () => HubLink; log: Pick<Log, 'info'>; closing: AbortSignal },
  { cursor, message }: Extract<HubMessage, { type: 'message' }>,
): void {
  log.info({ from: message.from, id: message.id, cursor }, 'a message came; nobody here reads it')
  void link()
    .deliver({ type: 'mail_ack', cursor }, closing)
    .catch(() => {})
}
