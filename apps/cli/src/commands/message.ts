import type { Message } from '@muster/contract/messages'
import { text as readAll } from 'node:stream/consumers'
import type { Command } from '../context.ts'
import { Failure } from '../failure.ts'
import type { Output } from '../output.ts'

type SendOptions = { to?: string; all?: boolean; channel?: string; replyTo?: string }

export const sendMessage: Command<SendOptions, [string]> = async (context, options, words) => {
  const place = placeOf(options)
  const text = words === '-' ? (await readAll(process.stdin)).trimEnd() : words
  if (text === '')
    throw new Failure('usage', 'The message is empty.', 'Give it a text, or "-" to read stdin.')
  const hub = await context.hub()
  const posted = await hub.call('sendMessage', { body: { ...place, text } })
  const { output } = context
  if (output.json) output.document(posted)
  else {
    output.line(posted.id)
    output.note(`Posted. Read the answers: npx muster message list --thread ${posted.id}`)
  }
  return 0
}

function placeOf({ to, all, channel, replyTo }: SendOptions) {
  const places = [
    ...(to === undefined ? [] : [{ to }]),
    ...(all === true ? [{ to: null }] : []),
    ...(channel === undefined ? [] : [{ channel }]),
  ]
  if (places.length > 1 || (places.length === 0 && replyTo === undefined)) {
    throw new Failure(
      'usage',
      'It must be clear whom the message is for.',
      'Give one of --to, --all and --channel, or --reply-to alone to answer its writer.',
    )
  }
  return { ...places[0], ...(replyTo === undefined ? {} : { replyTo }) }
}

type ListOptions = { to?: string; channel?: string; thread?: string; after?: number; limit?: number }

export const listMessages: Command<ListOptions> = async ({ output, ...context }, options) => {
  const hub = await context.hub()
  const { to, channel, thread, after, limit } = options
  const found = await hub.call('listMessages', { query: { to, channel, thread, after, limit } })
  if (output.json) output.document(found)
  else if (found.items.length === 0) output.note('No messages.')
  else printMessages(output, found)
  return 0
}

export function printMessages(
  output: Output,
  { items, nextCursor }: { items: Message[]; nextCursor: string | null },
): void {
  output.table(
    [
      { name: 'at', drop: 2 },
      { name: 'from' },
      { name: 'to', drop: 1 },
      { name: 'text', cut: true },
      { name: 'message', drop: 3 },
    ],
    items.map((message) => [
      message.at.slice(0, 19).replace('T', ' '),
      message.from.name,
      placeText(message),
      message.text,
      message.id,
    ]),
  )
  if (nextCursor !== null) output.note(`There are more: --after ${nextCursor}`)
}

function placeText({ to, channel }: Message): string {
  return channel === null ? (to?.name ?? 'all') : `#${channel}`
}
