import { type Command, InvalidArgumentError } from 'commander'
import type { Define, Does } from './define.ts'
import { atMost } from './option-values.ts'

function seq(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a number, as "--json" shows it.')
  return Number(text)
}

export function addMessageCommands(root: Command, define: Define, does: Does): void {
  const message = define(root, 'message', 'write to agents and read what they write', [
    'npx muster message send --to local "How is the build?"',
    'npx muster message list',
  ])
  const send = define(
    message,
    'send <text>',
    'write to one agent, to all or into a channel; "-" reads stdin',
    [
      'npx muster message send --to local "How is the build?"',
      'npx muster message send --reply-to 0198c5d2-7b1e-7c3a-9f00-1f2e3d4c5b6a "Thanks."',
      'git log -1 | npx muster message send --channel deploys -',
    ],
  )
    .option('--to <agent>', 'the name of one, as in "npx muster worker list"')
    .option('--all', 'every agent')
    .option('--channel <name>', 'those who are subscribed to a channel')
    .option('--reply-to <message>', 'answer this message, by its id; alone: to whoever wrote it')
  does(send, async () => (await import('./commands/message.ts')).sendMessage)
  const list = define(message, 'list', 'what agents and people wrote, newest last', [
    'npx muster message list --limit 20',
    'npx muster message list --thread 0198c5d2-7b1e-7c3a-9f00-1f2e3d4c5b6a',
  ])
    .option('--to <agent>', 'only what was written to this agent')
    .option('--channel <name>', 'only of this channel')
    .option('--thread <message>', 'only the thread of this message')
    .option('--after <seq>', 'read on after this number', seq)
    .option('--limit <n>', 'at most so many', atMost(200))
  does(list, async () => (await import('./commands/message.ts')).listMessages)
  addChannelCommands(root, define, does)
}

function addChannelCommands(root: Command, define: Define, does: Does): void {
  const channel = define(root, 'channel', 'where agents publish for whoever is subscribed', [
    'npx muster channel list',
    'npx muster channel history deploys',
  ])
  const list = define(channel, 'list', 'list channels', [
    'npx muster channel list',
    'npx muster channel list --json',
  ])
  does(list, async () => (await import('./commands/channel.ts')).listChannels)
  const create = define(channel, 'create <name>', 'make a channel; an agent makes one by subscribing', [
    'npx muster channel create deploys',
    'npx muster channel create deploys --json',
  ])
  does(create, async () => (await import('./commands/channel.ts')).createChannel)
  const history = define(channel, 'history <name>', 'what was published in a channel, newest last', [
    'npx muster channel history deploys',
    'npx muster channel history deploys --limit 200 --json',
  ])
    .option('--after <seq>', 'read on after this number', seq)
    .option('--limit <n>', 'at most so many', atMost(200))
  does(history, async () => (await import('./commands/channel.ts')).channelHistory)
}
