import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../apps/web/dist')
const policy =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"

/** A file of the built page, with what a test wants to break it with. */
export async function servePage(
  pathname: string,
  response: ServerResponse,
  sabotage: { html: string; scriptSource: string } | null,
): Promise<void> {
  const name = path.extname(pathname) === '' ? 'index.html' : pathname
  const types: Record<string, string> = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.css': 'text/css',
    '.svg': 'image/svg+xml',
  }
  try {
    let content: Buffer | string = await readFile(path.join(dist, path.normalize(name)))
    let allowed = policy
    if (name === 'index.html' && sabotage !== null) {
      content = content.toString().replace('</body>', `${sabotage.html}</body>`)
      allowed = policy.replace("script-src 'self'", `script-src 'self' ${sabotage.scriptSource}`)
    }
    response.writeHead(200, {
      'content-type': types[path.extname(name)] ?? 'application/octet-stream',
      'content-security-policy': allowed,
    })
    response.end(content)
  } catch {
    response.writeHead(404).end()
  }
}
