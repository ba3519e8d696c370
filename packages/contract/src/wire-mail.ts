import { z } from 'zod'
import {
  channel,
  channelSize,
  mailboxSize,
  message,
  messageData,
  messagesPerMinute,
  messageText,
  posted,
  statusText,
} from './messages.ts'
import { id, slugName, timestamp } from './text.ts'

// The part of the wire in which agents speak with each other. Joined into the unions of wire.ts.

const request = {
  id: z.int().min(1).describe('Chosen by you; the one reply to this message has it as `to`.'),
}
/** Fifty of the largest messages, in the longest form that JSON can give them, are 6 MB. */
const limit = z.int().min(1).max(50).default(20).describe('At most so many.')
const place = z.int().min(0)

const words = {
  replyTo: id.optional().describe('The message that this one answers.'),
  text: messageText.describe('At most 16 KiB.'),
  data: messageData.optional().describe('More of it, for programs; at most 4 KiB.'),
  key: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('Your own name for this message. One that you send again under it is posted once.'),
}

const channelName = slugName.describe('The name of the channel.')

const online = z.boolean().describe('Whether it is connected, to whichever hub.')

const agentNews = {
  name: z.string().describe('The name of the worker, as in `list_agents`.'),
  status: z.string().describe('What it last said about itself; empty if nothing.'),
}

export const mailRequests = [
  z
    .object({
      type: z.literal('message'),
      ...request,
      to: z
        .string()
        .max(64)
        .nullable()
        .optional()
        .describe(
          'The name of an agent, here or away; null for all others. Left out of an answer, it goes to whoever wrote ' +
            'that message, a person too.',
        ),
      ...words,
    })
    .describe(
      `Puts a message into the mailbox of an agent, or of all but you. At most ${messagesPerMinute} in a minute from ` +
        'one sender, then `too_many_messages`.',
    ),
  z
    .object({
      type: z.literal('mail_read'),
      ...request,
      after: place
        .optional()
        .describe('The cursor of the last one you have; without it, the last you acknowledged.'),
      limit,
    })
    .describe('Reads your mailbox, oldest first. For a client that would rather ask than be told.'),
  z
    .object({
      type: z.literal('mail_ack'),
      ...request,
      cursor: place.describe('Of the last message that you need not get again.'),
    })
    .describe(
      'Takes this message and all before it out of your mailbox. What you have not acknowledged is sent again after ' +
        'each welcome, in order.',
    ),
  z
    .object({
      type: z.literal('thread'),
      ...request,
      message: id.describe('Any message of the thread.'),
      part: z
        .enum(['thread', 'replies', 'root'])
        .default('thread')
        .describe('The whole thread in order, the direct answers to this message, or the first message.'),
      after: place.default(0).describe('The `seq` of the last one you have.'),
      limit,
    })
    .describe('Reads a thread: of what you may see, which is what is for all, from you or to you.'),
  z
    .object({ type: z.literal('channel_subscribe'), ...request, channel: channelName })
    .describe(
      'From the reply on, all that is published in the channel is pushed to you while you are connected, over later ' +
        'connections too. Makes the channel if it is not there.',
    ),
  z
    .object({ type: z.literal('channel_unsubscribe'), ...request, channel: channelName })
    .describe('Ends that.'),
  z
    .object({ type: z.literal('channel_publish'), ...request, channel: channelName, ...words })
    .describe(
      'Publishes in a channel that is there, subscribed or not. Counts towards the same limit as `message`.',
    ),
  z
    .object({
      type: z.literal('channel_history'),
      ...request,
      channel: channelName,
      after: place
        .optional()
        .describe('The cursor of the last one you have; without it, the newest are read.'),
      limit,
    })
    .describe(`Reads what was published, oldest first. A channel keeps its newest ${channelSize} messages.`),
  z.object({ type: z.literal('list_channels'), ...request }).describe('Asks which channels there are.'),
  z
    .object({ type: z.literal('status'), ...request, text: statusText.describe('Empty takes it back.') })
    .describe('Says in a few words what you are doing, for other agents and people.'),
  z
    .object({ type: z.literal('list_agents'), ...request })
    .describe('Asks who is there. Whatever changes after the reply is pushed to you.'),
] as const
export type MailMessage = z.infer<(typeof mailRequests)[number]>

const cursor = z.int().describe('Its place in your mailbox, counted from 1; acknowledge with it.')

const channelPlace = z.int().describe('Its place in the channel, counted from 1 without a gap.')

/** What the hub sends by itself. */
export const mailPushes = [
  z
    .object({
      type: z.literal('message'),
      cursor,
      dropped: z
        .int()
        .describe(
          `How many before it you lost unread, because more than ${mailboxSize} were waiting or they had waited too long.`,
        ),
      message,
    })
    .describe('A message for you. It stays in your mailbox, and may come again, until you say `mail_ack`.'),
  z
    .object({ type: z.literal('channel_message'), cursor: channelPlace, message })
    .describe(
      'Published in a channel to which you are subscribed, by yourself too. A gap before its cursor, after a reconnect ' +
        'for instance, is read with `channel_history`.',
    ),
  z
    .object({
      type: z.literal('channel_joined'),
      channel: z.string().describe('The channel.'),
      name: agentNews.name,
    })
    .describe('Another agent subscribed to a channel of yours.'),
  z
    .object({
      type: z.literal('channel_left'),
      channel: z.string().describe('The channel.'),
      name: agentNews.name,
    })
    .describe('Another agent is not subscribed to it any more.'),
  z
    .object({ type: z.literal('agent_joined'), ...agentNews })
    .describe('Another agent of your workspace is connected, to whichever hub.'),
  z
    .object({ type: z.literal('agent_left'), name: agentNews.name })
    .describe('Another agent is gone: it closed its connection, or has not been heard for 15 s.'),
  z
    .object({ type: z.literal('status_changed'), ...agentNews })
    .describe('Another agent says something else.'),
] as const
export type MailPush = z.infer<(typeof mailPushes)[number]>

/** What a `reply` to these messages holds beside `ok`. */
export const mailAnswer = {
  posted: posted.optional().describe('To `message` and `channel_publish`: as it is stored.'),
  mail: z
    .object({
      items: z.array(z.object({ cursor, message })).describe('The messages, oldest first.'),
      dropped: z.int().describe('How many before the first of these you lost unread.'),
      last: z.int().describe('The cursor of the newest message there ever was.'),
    })
    .optional()
    .describe('To `mail_read`.'),
  thread: z
    .object({
      root: id.describe('The first message of the thread.'),
      items: z.array(message).describe('What was asked for, in order.'),
      more: z.boolean().describe('Read on after the last `seq`.'),
    })
    .optional()
    .describe('To `thread`, in order. The first message may be gone before its answers.'),
  channel: z
    .object({
      name: z.string().describe('Its name.'),
      last: z.int().describe('The cursor of its newest message; what comes after it is pushed.'),
      agents: z.array(z.object({ ...agentNews, online })).describe('Who is subscribed.'),
    })
    .optional()
    .describe('To `channel_subscribe`.'),
  history: z
    .object({
      items: z.array(z.object({ cursor: channelPlace, message })).describe('The messages, oldest first.'),
      last: z.int().describe('The cursor of its newest message.'),
    })
    .optional()
    .describe('To `channel_history`.'),
  channels: z
    .array(channel.extend({ subscribed: z.boolean().describe('Whether you are.') }))
    .optional()
    .describe('To `list_channels`.'),
  agents: z
    .array(
      z.object({
        ...agentNews,
        online,
        lastSeenAt: timestamp.nullable().describe('When it was last heard; null if never.'),
      }),
    )
    .optional()
    .describe('To `list_agents`: every agent of the workspace, yourself too.'),
}
export type MailAnswer = z.infer<z.ZodObject<typeof mailAnswer>>

const types = new Set<string>(mailRequests.map((each) => each.shape.type.value))

export function isMail(each: { type: string }): each is MailMessage {
  return types.has(each.type)
}
