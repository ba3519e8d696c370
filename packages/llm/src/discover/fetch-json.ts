/** Longer than any list of models; a server that sends without end must not fill the memory of the hub. */
const mostBytes = 8 * 1024 * 1024

/** Why a server could not be asked, in words for a person. */
export class Unanswered extends Error {}

/**
 * One request to a server of models. It is not ours: what it answers is bounded in time and size, a redirect is not
 * followed (it could lead to where a person would not have been let), and its words go into no message.
 */
export async function fetchJson(
  url: string,
  options: {
    limitMs: number
    headers?: Record<string, string>
    body?: object
    signal?: AbortSignal | undefined
  },
): Promise<unknown> {
  const limit = AbortSignal.timeout(options.limitMs)
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal])
  try {
    const response = await fetch(url, {
      signal,
      redirect: 'manual',
      headers: { accept: 'application/json', ...options.headers },
      ...(options.body === undefined ? {} : { method: 'POST', body: JSON.stringify(options.body) }),
    })
    if (!response.ok) {
      await response.body?.cancel()
      throw new Unanswered(statusText(response.status))
    }
    return JSON.parse(await readBounded(response))
  } catch (error) {
    throw error instanceof Unanswered ? error : new Unanswered(reasonOf(error, options.limitMs))
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > mostBytes) throw new Unanswered('its answer is larger than 8 MiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function statusText(status: number): string {
  if (status === 401 || status === 403) return `it refuses the key (${status})`
  if (status >= 300 && status < 400) return `it answers with a redirect (${status}); name the final address`
  return `it answers ${status}`
}

const byCode: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the name of the host is not known',
  EAI_AGAIN: 'the name of the host could not be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ECONNRESET: 'the connection was cut',
}

function reasonOf(error: unknown, limitMs: number): string {
  if (error instanceof SyntaxError) return 'what it answers is not JSON'
  if (!(error instanceof Error)) return 'it cannot be asked'
  if (error.name === 'TimeoutError') return `no answer within ${limitMs / 1_000} s`
  const code = (error.cause as { code?: string } | undefined)?.code ?? ''
  return byCode[code] ?? (code === '' ? 'the connection failed' : `the connection failed (${code})`)
}
