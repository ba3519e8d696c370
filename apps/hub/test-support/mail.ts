import { workerMessage } from '@muster/contract/wire'
import { isMail, type MailMessage, type MailPush } from '@muster/contract/wire-mail'
import type { Rooms, TestWorker } from './rooms.ts'

type Draft<T> = T extends { id: number } ? Omit<T, 'id'> : never

/** A message as it comes out of the socket, with the defaults of the contract. */
function asSent(message: object): MailMessage {
  const parsed = workerMessage.parse({ id: 1, ...message })
  if (!isMail(parsed)) throw new Error(`${parsed.type} is not between agents`)
  return parsed
}

export type Speaker = Awaited<ReturnType<typeof speaker>>

/** An agent of a hub without sockets: it says what the test tells it to, and is pushed to while it is connected. */
export async function speaker(rooms: Rooms, name: string) {
  const worker = await rooms.worker(name)
  const say = (message: Partial<Draft<MailMessage>> & { type: MailMessage['type'] }) =>
    rooms.mail.handler.handle(worker.actor, worker.connection, asSent(message))
  const mail = () => mailOf(worker)
  return {
    name,
    get connection() {
      return worker.connection
    },
    id: worker.connection.workerId,
    say,
    tell: async (to: string | null, text: string, more: object = {}) => {
      const { posted } = await say({ type: 'message', to, text, ...more })
      if (posted === undefined) throw new Error('nothing was posted')
      return posted
    },
    read: async (more: object = {}) => {
      const { mail: box } = await say({ type: 'mail_read', ...more })
      if (box === undefined) throw new Error('nothing was read')
      return { ...box, texts: box.items.map((item) => item.message.text) }
    },
    publish: async (channel: string, text: string, more: object = {}) => {
      const { posted } = await say({ type: 'channel_publish', channel, text, ...more })
      if (posted === undefined) throw new Error('nothing was posted')
      return posted
    },
    history: async (channel: string, more: object = {}) => {
      const { history } = await say({ type: 'channel_history', channel, ...more })
      return { last: history?.last, texts: history?.items.map((item) => item.message.text) }
    },
    ack: (cursor: number) => say({ type: 'mail_ack', cursor }),
    /** A new connection to `hub`; what is pushed over the one before is not heard any more. */
    connect(hub: Rooms = rooms) {
      const sent: unknown[] = []
      worker.sent = sent
      worker.connection = { ...worker.connection, send: (message) => void sent.push(message) }
      hub.agents.connections.add(worker.connection)
    },
    disconnect: (hub: Rooms = rooms) => hub.agents.connections.remove(worker.connection),
    pushed: mail,
    texts: () => mail().map((push) => push.message.text),
    /** Everything that was pushed of one type. */
    of: <T extends MailPush['type']>(type: T) =>
      (worker.sent as MailPush[]).filter(
        (push): push is Extract<MailPush, { type: T }> => push.type === type,
      ),
  }
}

function mailOf({ sent }: TestWorker) {
  return (sent as MailPush[]).filter((push) => push.type === 'message')
}
