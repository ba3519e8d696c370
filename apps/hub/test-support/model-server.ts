import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

type Told = { path: string; headers: IncomingMessage['headers']; body: string }
type Model = {
  name: string
  size?: string
  context?: number
  capabilities?: string[]
  warm?: boolean
  remote?: boolean
}

/** A server on loopback that lists models as an Ollama and as OpenAI do, and writes down what it was asked. */
export async function startModelServer(models: Model[] = []) {
  const told: Told[] = []
  const server = {
    models,
    /** Answers everything in place of what it would say. */
    instead: undefined as ((request: IncomingMessage, response: ServerResponse) => void) | undefined,
  }
  const http = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      told.push({ path: request.url ?? '', headers: request.headers, body })
      if (server.instead !== undefined) return server.instead(request, response)
      const answer = answerTo(server.models, request.url ?? '', body)
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer ?? { error: 'not found' }))
    })
  })
  const listen = (port: number) =>
    new Promise<void>((resolve) => void http.listen(port, '127.0.0.1', () => resolve()))
  await listen(0)
  const { port } = http.address() as AddressInfo
  const stop = () =>
    new Promise<void>((resolve) => {
      http.close(() => resolve())
      http.closeAllConnections()
    })
  onTestFinished(stop)
  return Object.assign(server, {
    url: `http://127.0.0.1:${port}`,
    told,
    stop,
    startAgain: () => listen(port),
  })
}

function answerTo(models: Model[], path: string, body: string): unknown {
  if (path === '/api/version') return { version: '0.12.3' }
  if (path === '/api/tags') return { models: models.map(tagOf) }
  if (path === '/api/ps') {
    return {
      models: models.filter(({ warm }) => warm).map((model) => ({ ...tagOf(model), size_vram: 5_000 })),
    }
  }
  if (path.startsWith('/v1/models'))
    return { data: models.map(({ name }) => ({ id: name, object: 'model' })) }
  if (path !== '/api/show') return undefined
  const { model: name } = JSON.parse(body) as { model: string }
  const found = models.find((model) => model.name === name)
  if (found === undefined) return undefined
  const { context = 40_960, capabilities = ['completion', 'tools'] } = found
  return { model_info: { 'general.architecture': 'x', 'x.context_length': context }, capabilities }
}

function tagOf({ name, size = '8.2B', remote = false }: Model) {
  return {
    name,
    model: name,
    digest: `digest of ${name}`,
    details: { parameter_size: size, quantization_level: 'Q4_K_M' },
    ...(remote ? { remote_host: 'https://elsewhere.example' } : {}),
  }
}
