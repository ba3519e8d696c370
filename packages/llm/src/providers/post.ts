import { BrokenStream, Refusal } from './faults.ts'
import { maxErrorBytes, maxErrorMs } from './limits.ts'

/**
 * `fetch`, and a `Refusal` for whatever is not an answer. Redirects are not followed: the second server would see the
 * prompt and the key that were meant for the first.
 */
export async function post(
  url: string | URL,
  init: RequestInit,
): Promise<Response & { body: ReadableStream }> {
  const response = await fetch(url, { ...init, redirect: 'manual' })
  if (response.status >= 300 && response.status < 400) {
    await response.body?.cancel()
    throw new Refusal(response.status, response.headers, 'a redirect, which is not followed')
  }
  if (!response.ok) throw new Refusal(response.status, response.headers, said(await beginningOf(response)))
  if (!response.body) throw new BrokenStream('answered without a body')
  return response as Response & { body: ReadableStream }
}

/** What can be read of a body in short time: the status is what counts, and a reason may never end. */
export async function beginningOf(response: Response): Promise<string> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader()
  const pieces: Uint8Array[] = []
  const enough = setTimeout(() => void reader?.cancel().catch(() => {}), maxErrorMs)
  try {
    for (let length = 0; length < maxErrorBytes;) {
      const next = await reader?.read()
      if (!next?.value) break
      pieces.push(next.value)
      length += next.value.length
    }
  } catch {
    // The connection broke while the reason was read.
  } finally {
    clearTimeout(enough)
    void reader?.cancel().catch(() => {})
  }
  return Buffer.concat(pieces).subarray(0, maxErrorBytes).toString('utf8')
}

/** `{"error":"…"}` of Ollama, `{"error":{"message":"…"}}` of the others; HTML and everything else as it is. */
export function said(body: string): string {
  try {
    return errorText(JSON.parse(body)) ?? body
  } catch {
    return body
  }
}

export function errorText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return undefined
  if ('error' in value) return errorText(value.error)
  if ('message' in value) return errorText(value.message)
  return undefined
}
