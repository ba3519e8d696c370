import { BrokenStream, Refusal } from './faults.ts'
import { maxErrorBytes } from './limits.ts'

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

export async function beginningOf(response: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of response.body ?? []) {
      pieces.push(chunk)
      length += chunk.length
      if (length > maxErrorBytes) break
    }
  } catch {
    // The status is what counts; the connection may break while the reason is read.
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
