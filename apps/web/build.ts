import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const root = path.dirname(fileURLToPath(import.meta.url))
const repository = path.resolve(root, '../..')
const dist = path.join(root, 'dist')

/** Initial JavaScript, gzipped, must stay below this: what a phone on a slow line waits for. */
const budgetBytes = 170_000

/** Everything the bundle is made of; the lock file stands for the libraries. */
const sources = [
  'apps/web/build.ts',
  'apps/web/index.html',
  'apps/web/public',
  'apps/web/src',
  'apps/web/vite.config.ts',
  'packages/contract/src',
  'packages/sdk/src',
  'package-lock.json',
]

/** Builds the page into dist/ unless dist/ already is what these sources make. */
export async function buildWeb(): Promise<{ built: boolean; ms: number }> {
  const started = performance.now()
  const stamp = path.join(dist, '.stamp')
  const wanted = await hashSources()
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) {
    return { built: false, ms: performance.now() - started }
  }
  // Vite is loaded only when there is something to build: it takes longer to load than the check above.
  const { build } = await import('vite')
  await rm(stamp, { force: true })
  // A test runner sets NODE_ENV to "test", with which React would be bundled in its development build.
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  try {
    await build({ root, logLevel: 'warn' })
  } finally {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  }
  await writeFile(stamp, wanted)
  return { built: true, ms: performance.now() - started }
}

async function hashSources(): Promise<string> {
  const hash = createHash('sha256')
  for (const source of sources) {
    for (const file of await filesOf(path.join(repository, source))) {
      hash.update(`${path.relative(repository, file)}\0`).update(await readFile(file))
    }
  }
  return hash.digest('hex')
}

async function filesOf(target: string): Promise<string[]> {
  if (path.extname(target) !== '') return [target]
  const entries = await readdir(target, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !entry.name.includes('.test.'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted()
}

/** Gzipped size of the scripts that index.html asks for. */
export async function initialScriptBytes(): Promise<number> {
  const html = await readFile(path.join(dist, 'index.html'), 'utf8')
  let bytes = 0
  for (const [, file] of html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)) {
    bytes += gzipSync(await readFile(path.join(dist, file ?? ''))).length
  }
  return bytes
}

if (import.meta.main) {
  const { built, ms } = await buildWeb()
  const bytes = await initialScriptBytes()
  process.stdout.write(
    `${built ? 'built' : 'up to date'} in ${Math.round(ms)} ms, initial JS ${(bytes / 1000).toFixed(1)} kB gzip of ${budgetBytes / 1000}\n`,
  )
  if (bytes > budgetBytes) process.exitCode = 1
}
