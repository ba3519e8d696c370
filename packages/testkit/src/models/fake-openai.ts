import { createPlayer, type FakeModelServer, type FakeOptions } from './fake-options.ts'
import { type Answer, startFakeServer } from './fake-server.ts'
import { createOpenAiRoutes } from './openai-routes.ts'
import { createOpenAiWire, openAiError, shortId } from './openai-wire.ts'
import { answerWhole } from './play.ts'

export type FakeOpenAiOptions = FakeOptions & {
  models?: string[]
  /** Any key does when absent. */
  apiKey?: string
}

/** `/v1/models`, `/v1/chat/completions` and `/v1/responses`. */
export async function startFakeOpenAi(options: FakeOpenAiOptions = {}): Promise<FakeModelServer> {
  const { models = ['gpt-fake'], apiKey } = options
  const player = createPlayer(options)
  const routes = createOpenAiRoutes(player, { knows: (model) => models.includes(model) })
  const listed = models.map((id) => ({ id, object: 'model', created: 1_763_668_800, owned_by: 'fake' }))
  const paths: Record<string, { method: string; answer: Answer }> = {
    '/v1/models': {
      method: 'GET',
      answer: (call) => answerWhole(call, 200, JSON.stringify({ object: 'list', data: listed })),
    },
    '/v1/chat/completions': { method: 'POST', answer: routes.chat },
    '/v1/responses': { method: 'POST', answer: routes.responses },
  }
  const server = await startFakeServer(async (call) => {
    const { request, response } = call
    if (await player.playPath(call, createOpenAiWire(''))) return
    response.setHeader('x-request-id', `req_${shortId()}`)
    const key = request.headers.authorization?.replace(/^Bearer /, '')
    if (apiKey !== undefined && key !== apiKey) {
      const said = key === undefined ? "You didn't provide an API key." : 'Incorrect API key provided.'
      return answerWhole(call, 401, openAiError(401, said))
    }
    const path = paths[request.path]
    if (path === undefined) {
      const said = `Invalid URL (${request.method} ${request.path})`
      return answerWhole(
        call,
        404,
        JSON.stringify({ error: { message: said, type: 'invalid_request_error', param: null, code: null } }),
      )
    }
    if (path.method !== request.method) {
      return answerWhole(call, 405, openAiError(405, `Not allowed to ${request.method} on ${request.path}`))
    }
    for (const [name, value] of Object.entries(rateLimitHeaders)) response.setHeader(name, value)
    await path.answer(call)
  })
  return { ...server, asked: player.asked, script: player.script }
}

const rateLimitHeaders = {
  'x-ratelimit-limit-requests': '10000',
  'x-ratelimit-remaining-requests': '9999',
  'x-ratelimit-reset-requests': '6ms',
  'x-ratelimit-limit-tokens': '2000000',
  'x-ratelimit-remaining-tokens': '1999000',
  'x-ratelimit-reset-tokens': '30ms',
}
