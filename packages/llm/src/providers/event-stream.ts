import { BrokenStream } from './faults.ts'
import { beginningOf, errorText, post, said } from './post.ts'
import { readLines } from './read-lines.ts'

/**
 * A `fetch` for providers that read server-sent events: it refuses what is no answer, keeps lines and streams within
 * their bounds, and ends with the event that says so, whether the server closes the connection or not.
 */
export function createEventStreamFetch(mend: (event: object) => boolean = () => false): typeof fetch {
  return async (input, init) => {
    const response = await post(input instanceof Request ? input.url : input, init ?? {})
    if (/json/.test(response.headers.get('content-type') ?? '')) {
      throw new BrokenStream(`answered without a stream: ${said(await beginningOf(response))}`)
    }
    const lines = mended(readLines(response.body), mend)
    return new Response(ReadableStream.from(lines).pipeThrough(new TextEncoderStream()), {
      status: response.status,
      headers: response.headers,
    })
  }
}

async function* mended(
  lines: AsyncIterable<string>,
  /** Changes what the provider could not read, in place, and says whether it did. */
  mend: (event: object) => boolean,
): AsyncGenerator<string> {
  for await (const line of lines) {
    const data = line.startsWith('data:') ? line.slice(5).trim() : undefined
    if (data === '[DONE]') return
    const event = data === undefined ? undefined : parsed(data)
    if (event === undefined) {
      yield `${line}\n`
      continue
    }
    refuseError(event)
    yield mend(event) ? `data: ${JSON.stringify(event)}\n` : `${line}\n`
    if (isLast(event)) return yield '\n'
  }
}

/** What is no JSON is for the provider to complain of. */
function parsed(data: string): object | undefined {
  try {
    const value: unknown = JSON.parse(data)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

const isLast = (event: object): boolean => 'type' in event && event.type === 'message_stop'

/** The names that Anthropic and OpenAI give to what would have been a status, had the stream not begun. */
const statuses: Record<string, number> = {
  overloaded_error: 529,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  invalid_request_error: 400,
  context_length_exceeded: 400,
  api_error: 500,
  server_error: 500,
}

function refuseError(event: object): void {
  if (!('error' in event) || event.error === null || event.error === undefined) return
  throw new BrokenStream(errorText(event.error) ?? 'an error without words', statusIn(event.error))
}

function statusIn(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const code = 'code' in error ? error.code : undefined
  const type = 'type' in error ? error.type : undefined
  const named = statuses[String(code)] ?? statuses[String(type)]
  if (named !== undefined) return named
  const number = Number(code)
  return Number.isInteger(number) && number >= 400 && number < 600 ? number : undefined
}
