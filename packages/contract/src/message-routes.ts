import { z } from 'zod'
import { channel, message, messageText, posted } from './messages.ts'
import { page } from './tasks.ts'
import { id, slugName } from './text.ts'

/** Words of a person: to an agent, to all of them, into a channel, or as an answer to whoever wrote the message. */
const messageCreate = z
  .strictObject({
    to: slugName.nullable().optional().describe('The name of an agent; null: all.'),
    channel: slugName.optional(),
    replyTo: id.optional().describe('The message that this one answers.'),
    text: messageText,
  })
  .refine((body) => body.to === undefined || body.channel === undefined, {
    path: ['to'],
    message: 'is not given together with a channel',
  })

const messageListQuery = z.strictObject({
  to: slugName.optional().describe('Only what was written to this agent.'),
  channel: slugName.optional(),
  thread: id.optional().describe('Only the thread of this message.'),
  after: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe('Read on after this `seq`; without it, the newest are read.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})

/** The part of routes.ts that is about messages. */
export const messageRoutes = {
  sendMessage: {
    method: 'POST',
    path: '/api/v1/messages',
    summary: 'Write to an agent, to all of them or into a channel',
    who: 'person',
    body: messageCreate,
    status: 201,
    response: posted,
  },
  listMessages: {
    method: 'GET',
    path: '/api/v1/messages',
    summary: 'What agents and people wrote, oldest first',
    who: 'person',
    query: messageListQuery,
    status: 200,
    response: page(message),
  },
  listChannels: {
    method: 'GET',
    path: '/api/v1/channels',
    summary: 'List channels',
    who: 'person',
    status: 200,
    response: page(channel),
  },
  createChannel: {
    method: 'POST',
    path: '/api/v1/channels',
    summary: 'Make a channel; one that is there is answered as it is',
    who: 'person',
    body: z.strictObject({ name: slugName }),
    status: 201,
    response: channel,
  },
} as const
