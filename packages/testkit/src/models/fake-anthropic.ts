import { anthropicError, createAnthropicWire } from './anthropic-wire.ts'
import { answerMessages } from './anthropic-routes.ts'
import { createPlayer, type FakeModelServer, type FakeOptions } from './fake-options.ts'
import { startFakeServer } from './fake-server.ts'
import { shortId } from './openai-wire.ts'
import { answerWhole } from './play.ts'

export type FakeAnthropicOptions = FakeOptions & {
  models?: string[]
  /** Any key does when absent, but there must be one. */
  apiKey?: string
}

/** `/v1/messages` and `/v1/models`. */
export async function startFakeAnthropic(options: FakeAnthropicOptions = {}): Promise<FakeModelServer> {
  const { models = ['claude-fake'], apiKey } = options
  const player = createPlayer(options)
  const server = await startFakeServer(async (call) => {
    const { request, response } = call
    if (await player.playPath(call, createAnthropicWire(''))) return
    const refuse = (status: number, message: string) =>
      answerWhole(call, status, anthropicError(status, message))
    response.setHeader('request-id', `req_${shortId()}`)
    const key = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer /, '')
    if (key === undefined) return refuse(401, 'x-api-key header is required')
    if (apiKey !== undefined && key !== apiKey) return refuse(401, 'invalid x-api-key')
    if (request.headers['anthropic-version'] === undefined) {
      return refuse(400, 'anthropic-version: header is required')
    }
    if (request.path === '/v1/models' && request.method === 'GET') {
      return answerWhole(call, 200, JSON.stringify(listing(models)))
    }
    if (request.path !== '/v1/messages') return refuse(404, 'Not found')
    if (request.method !== 'POST') return refuse(405, 'Method Not Allowed')
    for (const [name, value] of Object.entries(rateLimitHeaders())) response.setHeader(name, value)
    await answerMessages(player, call, (model) => models.includes(model))
  })
  return { ...server, asked: player.asked, script: player.script }
}

function listing(models: string[]) {
  const data = models.map((id) => ({
    type: 'model',
    id,
    display_name: id,
    created_at: '2026-11-20T00:00:00Z',
  }))
  return { data, has_more: false, first_id: models[0] ?? null, last_id: models.at(-1) ?? null }
}

/** Whole seconds in RFC 3339, as the service writes them. */
function rateLimitHeaders(): Record<string, string> {
  const reset = `${new Date(Date.now() + 60_000).toISOString().slice(0, 19)}Z`
  return Object.fromEntries(
    [
      ['requests', '4000', '3999'],
      ['tokens', '400000', '399000'],
      ['input-tokens', '320000', '319000'],
      ['output-tokens', '80000', '79000'],
    ].flatMap(([what, limit = '', remaining = '']) => [
      [`anthropic-ratelimit-${what}-limit`, limit],
      [`anthropic-ratelimit-${what}-remaining`, remaining],
      [`anthropic-ratelimit-${what}-reset`, reset],
    ]),
  )
}
