import type { IncomingMessage } from 'node:http'

/** Above this a sender hears nothing but the end of its connection. */
const mostBytes = 16 * 1024 * 1024
const longestMs = 2_000

/**
 * Reads and drops what is still to come of a body that is refused. Many clients look for an answer only once they have
 * sent everything, and a connection that is closed under them takes the refusal with it (RFC 9112, section 9.6).
 */
export async function hearOut(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  let bytes = 0
  const count = (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > mostBytes) resolve()
  }
  const timer = setTimeout(resolve, longestMs)
  request.on('data', count).once('end', resolve).once('close', resolve).once('error', resolve)
  request.resume()
  await promise
  clearTimeout(timer)
  request.off('data', count)
}
