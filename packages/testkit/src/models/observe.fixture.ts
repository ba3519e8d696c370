import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { eventually } from '../eventually.ts'
import { hostile, startHostile } from './hostile.ts'
import type { Surface } from './turn.ts'

/** What one client saw on its socket. */
export type Seen = {
  raw: Buffer
  /** The first line of the answer. */
  statusLine: string
  head: string
  /** After the head, with chunks taken apart as far as they can be. */
  body: string
  /** The framing said that this was all. */
  complete: boolean
  how: 'open' | 'closed' | 'reset' | 'refused'
}

const paths: Record<Surface, string> = {
  ollama: '/api/chat',
  openai: '/v1/chat/completions',
  anthropic: '/v1/messages',
}
const models: Record<Surface, string> = { ollama: 'qwen3:8b', openai: 'gpt-fake', anthropic: 'claude-fake' }

/** The tool that hostile calls name. */
const tool = { name: 'edit_file', parameters: { type: 'object' } }

export function requestOf(surface: Surface, stream = true) {
  const tools =
    surface === 'anthropic'
      ? [{ name: tool.name, input_schema: tool.parameters }]
      : [{ type: 'function', function: tool }]
  return {
    path: paths[surface],
    headers: {
      'x-api-key': 'secret-key',
      authorization: 'Bearer secret-key',
      'anthropic-version': '2023-06-01',
    },
    body: JSON.stringify({
      model: models[surface],
      max_tokens: 1000,
      stream,
      ...(surface === 'openai' ? { stream_options: { include_usage: true } } : {}),
      tools,
      messages: [{ role: 'user', content: 'Please answer.' }],
    }),
  }
}

export async function start(surface: Surface, name: string) {
  const server = await startHostile(surface, hostile(name))
  onTestFinished(server.close)
  return server
}

/**
 * Asks over a bare socket and answers what came until the server hung up. With `until` it leaves when that is true and
 * nothing has changed for a while.
 */
export async function observe(
  surface: Surface,
  name: string,
  until?: (seen: Seen) => boolean,
): Promise<Seen> {
  const server = await start(surface, name)
  const { path, headers, body } = requestOf(surface)
  const chunks: Buffer[] = []
  let how: Seen['how'] = 'open'
  const socket = connect(server.port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', (error: NodeJS.ErrnoException) => {
    how = error.code === 'ECONNREFUSED' ? 'refused' : 'reset'
  })
  socket.on('close', () => (how = how === 'open' ? 'closed' : how))
  const lines = Object.entries({
    host: 'x',
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([key, value]) => `${key}: ${value}`)
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
  const look = () => read(Buffer.concat(chunks), how)
  await eventually(() => (until === undefined ? how !== 'open' : how !== 'open' || until(look())), {
    timeoutMs: 30_000,
    what: `an end of "${name}" on ${surface}`,
  })
  if (until !== undefined) await sleep(150)
  return look()
}

function read(raw: Buffer, how: Seen['how']): Seen {
  const text = raw.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const head = end < 0 ? text : text.slice(0, end)
  const rest = end < 0 ? '' : text.slice(end + 4)
  const length = /^content-length: (\d+)/im.exec(head)?.[1]
  const { body, complete } = /^transfer-encoding: chunked/im.test(head)
    ? dechunked(rest)
    : { body: rest, complete: length !== undefined && rest.length >= Number(length) }
  const statusLine = head.split('\r\n')[0] ?? ''
  return { raw, statusLine, head, body: Buffer.from(body, 'latin1').toString('utf8'), complete, how }
}

function dechunked(text: string): { body: string; complete: boolean } {
  let at = 0
  let body = ''
  for (;;) {
    const end = text.indexOf('\r\n', at)
    const size = /^([0-9a-f]+)$/i.exec(text.slice(at, end))?.[1]
    if (end < 0 || size === undefined) return { body, complete: false }
    if (Number.parseInt(size, 16) === 0) return { body, complete: true }
    const from = end + 2
    at = from + Number.parseInt(size, 16) + 2
    body += text.slice(from, at - 2)
  }
}

/** The marks by which each wire says that an answer is whole. */
export function isWhole(surface: Surface, body: string): boolean {
  return {
    ollama: body.includes('"done":true'),
    openai: body.includes('data: [DONE]'),
    anthropic: body.includes('event: message_stop'),
  }[surface]
}

/** Every behaviour of this list on each of its servers, as rows of a table. */
export function rows(list: readonly { name: string; servers: Surface[] }[]): [string, Surface][] {
  return list.flatMap(({ name, servers }) => servers.map((surface): [string, Surface] => [name, surface]))
}
