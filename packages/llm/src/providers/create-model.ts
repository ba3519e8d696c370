import type { Model } from '../model.ts'
import { createAnthropicWire } from './anthropic.ts'
import { calibrate } from '../context/calibrate.ts'
import { ask, type Frame } from './ask.ts'
import { KnownFailure } from './faults.ts'
import { createOllamaWire } from './ollama.ts'
import { createOpenAiWire } from './openai.ts'
import type { HttpPlace } from './place.ts'
import { worthHiding } from './safe-text.ts'
import type { Wire } from './wire.ts'

export type ModelPlace = {
  provider: 'ollama' | 'openai' | 'anthropic'
  /** `http://127.0.0.1:11434`, `https://api.anthropic.com/v1`; a name and password in it become a header. */
  baseUrl: string
  /** As the server calls it: `qwen3:8b`. */
  name: string
  apiKey?: string
  contextTokens: number
  headers?: Record<string, string>
  /** Ollama: how long the model stays loaded after the call, `5m` or seconds. */
  keepAlive?: string | number
}

/** A model at a place. Nothing is asked before `ask`, and a place that cannot be is a failure of that. */
export function createModel(place: ModelPlace): Model {
  const { wire, label, secrets } = connect(place)
  let scale = 1
  const learn: Frame['learn'] = (prompt) => {
    scale = calibrate(scale, prompt)
  }
  return {
    name: place.name,
    provider: place.provider,
    contextTokens: place.contextTokens,
    ask: (request) => ask({ wire, place: label, secrets, learn }, request),
    scale: () => scale,
  }
}

function connect(place: ModelPlace): { wire: Wire; label: string; secrets: string[] } {
  const url = readBaseUrl(place.baseUrl)
  if (!url) return { wire: nowhere(place.baseUrl), label: place.provider, secrets: [] }
  const basic = basicHeader(url)
  const headers = { ...(basic !== undefined && { authorization: basic }), ...place.headers }
  const secrets = worthHiding([place.apiKey, decode(url.password), ...Object.values(headers)])
  url.username = ''
  url.password = ''
  return {
    wire: createWire(place.provider, { ...place, baseUrl: url, headers }),
    label: `${place.name} at ${url.origin}`,
    secrets,
  }
}

function createWire(provider: ModelPlace['provider'], place: HttpPlace): Wire {
  switch (provider) {
    case 'ollama':
      return createOllamaWire(place)
    case 'openai':
      return createOpenAiWire({ ...place, baseUrl: versioned(place.baseUrl) })
    case 'anthropic':
      return createAnthropicWire({ ...place, baseUrl: versioned(place.baseUrl) })
  }
}

/** People write the address with and without the version of the API. */
const versioned = (baseUrl: URL): URL => (baseUrl.pathname === '/' ? new URL('v1/', baseUrl) : baseUrl)

function readBaseUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) return undefined
  url.search = ''
  url.hash = ''
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

/** `fetch` refuses addresses with a name and password in them. */
function basicHeader(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined
  return `Basic ${Buffer.from(`${decode(url.username)}:${decode(url.password)}`).toString('base64')}`
}

const decode = (text: string): string => text.replace(/(%[\da-f]{2})+/gi, (codes) => decodeCodes(codes))

const decodeCodes = (codes: string): string => Buffer.from(codes.replaceAll('%', ''), 'hex').toString('utf8')

const nowhere = (baseUrl: string): Wire =>
  // oxlint-disable-next-line require-yield -- a stream that fails before its first part
  async function* () {
    throw new KnownFailure('invalid_request', `not an http or https address: ${baseUrl.slice(0, 100)}`)
  }
