import { answerMessages } from './anthropic-routes.ts'
import { createPlayer, type FakeModelServer, type FakeOptions, type Player } from './fake-options.ts'
import { type Answer, startFakeServer } from './fake-server.ts'
import { type Catalogue, createCatalogue, defaultModels, type FakeModel } from './ollama-catalogue.ts'
import { answerJson, createOllamaRoutes } from './ollama-routes.ts'
import { createOllamaWire } from './ollama-wire.ts'
import { createOpenAiRoutes } from './openai-routes.ts'

export type FakeOllamaOptions = FakeOptions & {
  /** `qwen3:8b` and `nomic-embed-text` when absent. */
  models?: FakeModel[]
  version?: string
}

export type FakeOllama = FakeModelServer & {
  addModel(model: FakeModel): void
  removeModel(name: string): void
  isLoaded(name: string): boolean
}

/** The parts of Ollama that a client of ours may use; the wire is that of its source, not of its documentation. */
export async function startFakeOllama(options: FakeOllamaOptions = {}): Promise<FakeOllama> {
  const { models = defaultModels, version = '0.31.0' } = options
  const catalogue = createCatalogue(models)
  const player = createPlayer(options)
  const paths = pathsOf(player, catalogue, version)
  const server = await startFakeServer(async (call) => {
    const { request, response } = call
    if (await player.playPath(call, createOllamaWire(''))) return
    const methods = paths[request.path]
    if (methods === undefined) return answerText(call, 404, '404 page not found')
    const answer = methods[request.method === 'HEAD' ? 'GET' : request.method]
    if (answer === undefined) {
      response.setHeader('allow', Object.keys(methods).join(', '))
      return answerText(call, 405, '405 method not allowed')
    }
    await answer(call)
  })
  return {
    ...server,
    asked: player.asked,
    script: player.script,
    addModel: catalogue.add,
    removeModel: catalogue.remove,
    isLoaded: catalogue.isLoaded,
  }
}

type Paths = Record<string, Record<string, Answer>>

function pathsOf(player: Player, catalogue: Catalogue, version: string): Paths {
  const knows = (model: string) => catalogue.find(model) !== undefined
  const own = createOllamaRoutes(player, catalogue)
  const openai = createOpenAiRoutes(player, { knows, thinkingField: 'reasoning', fingerprint: 'fp_ollama' })
  const list = () =>
    catalogue
      .tags()
      .models.map(({ name }) => ({ id: name, object: 'model', created: 1_763_668_800, owned_by: 'library' }))
  return {
    '/': { GET: (call) => answerText(call, 200, 'Ollama is running') },
    '/api/version': { GET: (call) => answerJson(call, { version }) },
    '/api/tags': { GET: (call) => answerJson(call, catalogue.tags()) },
    '/api/ps': { GET: (call) => answerJson(call, catalogue.ps()) },
    '/api/show': { POST: own.show },
    '/api/chat': { POST: own.chat },
    '/api/generate': { POST: own.generate },
    '/api/embed': { POST: own.embed },
    '/api/embeddings': { POST: own.embeddings },
    '/v1/models': { GET: (call) => answerJson(call, { object: 'list', data: list() }) },
    '/v1/chat/completions': { POST: openai.chat },
    '/v1/responses': { POST: openai.responses },
    '/v1/messages': { POST: (call) => answerMessages(player, call, knows) },
  }
}

function answerText({ response }: Parameters<Answer>[0], status: number, text: string) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(text)
}
