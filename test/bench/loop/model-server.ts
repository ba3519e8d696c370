import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answer, script } from './script.ts'

/** What one run was seen to do, by the clock of the server: it is the same for whoever asks. */
export type Seen = {
  /** Milliseconds from the end of one answer to the next question: all that is not the model's time. */
  gaps: number[]
  /** Of all questions together, messages and tools, at three and a half characters to a token. */
  inputTokens: number
  questions: number
}

/**
 * A server of models that answers at once, in a process of its own so that its work is in nobody's time. What it calls
 * next depends only on how often it has answered in the conversation it is shown. `/RUN/v1/chat/completions` is OpenAI's
 * wire; `/RUN/seen` says what it saw.
 */
const runs = new Map<string, Seen & { answeredAt: number | undefined }>()

const server = createServer((request, response) => {
  const arrived = performance.now()
  const [, name = '', what] = (request.url ?? '').split('/')
  const run = runs.get(name) ?? { gaps: [], inputTokens: 0, questions: 0, answeredAt: undefined }
  runs.set(name, run)
  if (what === 'seen') return void response.end(JSON.stringify({ ...run, answeredAt: undefined }))
  if (run.answeredAt !== undefined) run.gaps.push(arrived - run.answeredAt)
  void bodyOf(request).then((body) => {
    const { messages, tools } = JSON.parse(body) as { messages: { role: string }[]; tools: unknown[] }
    run.questions += 1
    run.inputTokens += Math.ceil(JSON.stringify({ messages, tools }).length / 3.5)
    response.once('finish', () => (run.answeredAt = performance.now()))
    say(response, messages.filter((message) => message.role === 'assistant').length)
  })
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.once('disconnect', () => process.exit(0))

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

function say(response: ServerResponse, at: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const chunk = (delta: object, finish: string | null = null, usage?: object) =>
    response.write(
      `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 0, model: 'scripted', choices: [{ index: 0, delta, finish_reason: finish }], usage })}\n\n`,
    )
  chunk({ role: 'assistant', content: '' })
  const call = script[at]
  for (const word of (call === undefined ? answer : `Next is ${call.name}.`).split(/(?<= )/))
    chunk({ content: word })
  if (call !== undefined) {
    const { name, args } = call
    chunk({
      tool_calls: [
        { index: 0, id: `call_${at}`, type: 'function', function: { name, arguments: JSON.stringify(args) } },
      ],
    })
  }
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  chunk({}, call === undefined ? 'stop' : 'tool_calls', usage)
  response.end('data: [DONE]\n\n')
}
