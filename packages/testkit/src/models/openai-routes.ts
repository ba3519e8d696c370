import type { Player } from './fake-options.ts'
import type { Answer } from './fake-server.ts'
import { createResponsesWire, readResponses } from './openai-responses-wire.ts'
import {
  createOpenAiWire,
  type OpenAiFlavour,
  type OpenAiMessage,
  openAiError,
  readOpenAiChat,
} from './openai-wire.ts'
import { answerWhole } from './play.ts'

type Call = Parameters<Answer>[0]

/** `/v1/chat/completions` and `/v1/responses`, for the fake OpenAI and for the fake Ollama, which serves them too. */
export function createOpenAiRoutes(
  player: Player,
  options: { knows: (model: string) => boolean } & OpenAiFlavour,
) {
  const { knows, ...flavour } = options
  return {
    async chat(call: Call) {
      const body = call.request.body as Record<string, unknown>
      const refusal = refuse(body, 'messages', knows) ?? refuseHistory(body)
      if (refusal !== undefined) return answerRefusal(call, refusal)
      const includeUsage = (body['stream_options'] as { include_usage?: boolean } | undefined)?.include_usage
      await player.play(call, {
        read: (index) => readOpenAiChat(body, index),
        wire: createOpenAiWire(String(body['model']), { ...flavour, includeUsage: includeUsage === true }),
        stream: body['stream'] === true,
      })
    },
    async responses(call: Call) {
      const body = call.request.body as Record<string, unknown>
      const refusal = refuse(body, 'input', knows)
      if (refusal !== undefined) return answerRefusal(call, refusal)
      await player.play(call, {
        read: (index) => readResponses(body, index),
        wire: createResponsesWire(String(body['model'])),
        stream: body['stream'] === true,
      })
    },
  }
}

type Refusal = { status: number; message: string }

function answerRefusal(call: Call, { status, message }: Refusal) {
  answerWhole(call, status, openAiError(status, message))
}

function refuse(
  body: Record<string, unknown> | undefined,
  needed: 'messages' | 'input',
  knows: (model: string) => boolean,
): Refusal | undefined {
  if (typeof body !== 'object' || body === null) {
    return { status: 400, message: 'We could not parse the JSON body of your request.' }
  }
  const missing = ['model', needed].find((key) => body[key] === undefined)
  if (missing !== undefined) return { status: 400, message: `Missing required parameter: '${missing}'.` }
  const model = String(body['model'])
  if (!knows(model)) {
    return { status: 404, message: `The model \`${model}\` does not exist or you do not have access to it.` }
  }
  return undefined
}

/** Each call of an assistant must be answered before anybody speaks again. */
function refuseHistory(body: Record<string, unknown>): Refusal | undefined {
  if (!Array.isArray(body['messages'])) {
    return { status: 400, message: "Invalid type for 'messages': expected an array of objects." }
  }
  const open = new Set<string>()
  for (const message of [...(body['messages'] as OpenAiMessage[]), undefined]) {
    if (message?.role === 'tool') {
      if (!open.delete(message.tool_call_id ?? '')) {
        return {
          status: 400,
          message:
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
        }
      }
      continue
    }
    if (open.size > 0) {
      return {
        status: 400,
        message: `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...open].join(', ')}`,
      }
    }
    for (const call of message?.tool_calls ?? []) open.add(call.id)
  }
  return undefined
}
