import {
  type AnthropicBlock,
  type AnthropicMessage,
  anthropicError,
  createAnthropicWire,
  readAnthropicMessages,
} from './anthropic-wire.ts'
import type { Player } from './fake-options.ts'
import type { Answer } from './fake-server.ts'
import { answerWhole } from './play.ts'

type Call = Parameters<Answer>[0]

/** `/v1/messages`, for the fake Anthropic and for the fake Ollama, which serves it too. */
export async function answerMessages(player: Player, call: Call, knows: (model: string) => boolean) {
  const body = call.request.body as Record<string, unknown> | undefined
  const refusal = refuse(body, knows)
  if (body === undefined || refusal !== undefined) {
    const { status, message } = refusal ?? { status: 400, message: 'invalid request' }
    return answerWhole(call, status, anthropicError(status, message))
  }
  await player.play(call, {
    read: (index) => readAnthropicMessages(body, index),
    wire: createAnthropicWire(String(body['model'])),
    stream: body['stream'] === true,
  })
}

type Refusal = { status: number; message: string }

function refuse(
  body: Record<string, unknown> | undefined,
  knows: (model: string) => boolean,
): Refusal | undefined {
  if (typeof body !== 'object' || body === null) {
    return { status: 400, message: 'The request body is not valid JSON' }
  }
  const missing = ['model', 'max_tokens', 'messages'].find((key) => body[key] === undefined)
  if (missing !== undefined) return { status: 400, message: `${missing}: Field required` }
  if (!knows(String(body['model']))) return { status: 404, message: `model: ${String(body['model'])}` }
  return refuseHistory(body['messages'] as AnthropicMessage[])
}

/** Each tool_use must have its tool_result in the very next message, and no tool_result comes out of nothing. */
function refuseHistory(messages: AnthropicMessage[]): Refusal | undefined {
  if (!Array.isArray(messages) || messages.length === 0) {
    return { status: 400, message: 'messages: at least one message is required' }
  }
  let open: string[] = []
  for (const [at, message] of messages.entries()) {
    const blocks = Array.isArray(message.content) ? message.content : []
    const results = blocks.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []))
    const unanswered = open.filter((id) => !results.includes(id))
    if (unanswered.length > 0) {
      return {
        status: 400,
        message: `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${unanswered.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      }
    }
    const stray = results.find((id) => !open.includes(id))
    if (stray !== undefined) {
      return {
        status: 400,
        message: `messages.${at}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      }
    }
    open = blocks.flatMap((block: AnthropicBlock) => (block.type === 'tool_use' ? [block.id] : []))
  }
  return undefined
}
