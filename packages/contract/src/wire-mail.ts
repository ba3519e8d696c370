import { z } from 'zod'
import { statusText } from './messages.ts'
import { timestamp } from './text.ts'

// The part of the wire in which agents speak with each other. Joined into the unions of wire.ts.

const request = {
  id: z.int().min(1).describe('Chosen by you; the one reply to this message has it as `to`.'),
}

const agentNews = {
  name: z.string().describe('The name of the worker, as in `list_agents`.'),
  status: z.string().describe('What it last said about itself; empty if nothing.'),
}

export const mailRequests = [
  z
    .object({ type: z.literal('status'), ...request, text: statusText.describe('Empty takes it back.') })
    .describe('Says in a few words what you are doing, for other agents and people.'),
  z
    .object({ type: z.literal('list_agents'), ...request })
    .describe('Asks who is there. Whatever changes after the reply is pushed to you.'),
] as const
export type MailMessage = z.infer<(typeof mailRequests)[number]>

/** What the hub sends by itself. */
export const mailPushes = [
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
  agents: z
    .array(z.object({ ...agentNews, online: z.boolean(), lastSeenAt: timestamp.nullable() }))
    .optional()
    .describe('To `list_agents`: every agent of the workspace, yourself too.'),
}
export type MailAnswer = z.infer<z.ZodObject<typeof mailAnswer>>

const types = new Set<string>(mailRequests.map((message) => message.shape.type.value))

export function isMail(message: { type: string }): message is MailMessage {
  return types.has(message.type)
}
