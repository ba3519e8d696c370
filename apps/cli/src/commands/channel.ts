import type { Command } from '../context.ts'
import { printMessages } from './message.ts'

export const listChannels: Command<object> = async ({ output, ...context }) => {
  const hub = await context.hub()
  const found = await hub.call('listChannels', {})
  if (output.json) output.document(found)
  else if (found.items.length === 0) output.note('No channels. Make one: npx muster channel create NAME')
  else {
    output.table(
      [{ name: 'channel', cut: true }, { name: 'messages' }, { name: 'subscribers' }, { name: 'here' }],
      found.items.map((channel) => [
        channel.name,
        String(channel.last),
        String(channel.subscribers),
        String(channel.online),
      ]),
    )
  }
  return 0
}

export const createChannel: Command<object, [string]> = async ({ output, ...context }, _options, name) => {
  const hub = await context.hub()
  const channel = await hub.call('createChannel', { body: { name } })
  if (output.json) output.document(channel)
  else
    output.note(`Channel ${channel.name} is there. Publish: npx muster message send --channel ${name} TEXT`)
  return 0
}

type HistoryOptions = { after?: number; limit?: number }

export const channelHistory: Command<HistoryOptions, [string]> = async (
  { output, ...context },
  { after, limit },
  channel,
) => {
  const hub = await context.hub()
  const found = await hub.call('listMessages', { query: { channel, after, limit } })
  if (output.json) output.document(found)
  else if (found.items.length === 0) output.note(`Nothing was published in ${channel} yet.`)
  else printMessages(output, found)
  return 0
}
