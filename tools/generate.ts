import { clientErrorTable, errorTable } from '@muster/contract/errors'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawPicture, withPicture } from '../test/architecture/picture.ts'
import { readSources, root } from '../test/architecture/sources.ts'
import { configurationPage } from './configuration-page.ts'
import { protocolPage } from './protocol-page.ts'

/** Everything that is written from the code. `--check` changes nothing and fails when a page is out of date. */
const pages: Record<string, () => string> = {
  'ARCHITECTURE.md': () =>
    withPicture(
      readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'),
      drawPicture(readSources().filter((source) => !source.isTest)),
    ),
  'docs/errors.md': errorsPage,
  'docs/configuration.md': configurationPage,
  'docs/protocol.md': protocolPage,
}

const check = process.argv.includes('--check')
const stale: string[] = []
for (const [path, write] of Object.entries(pages)) {
  const file = join(root, path)
  const now = write()
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (before === now) continue
  stale.push(path)
  if (!check) writeFileSync(file, now)
}
if (check && stale.length > 0) {
  process.stderr.write(`Out of date: ${stale.join(', ')}. Run "npm run generate" and commit the result.\n`)
  process.exit(1)
}
process.stdout.write(
  stale.length === 0 ? 'Generated pages are up to date.\n' : `Wrote ${stale.join(', ')}.\n`,
)

function errorsPage(): string {
  const entries = Object.entries(errorTable).map(
    ([code, { status, when, hint }]) => `## ${code}\n\nHTTP ${status}. ${when}\n\n**What to do:** ${hint}\n`,
  )
  const client = Object.entries(clientErrorTable).map(
    ([code, { when, hint }]) => `## ${code}\n\n${when}\n\n**What to do:** ${hint}\n`,
  )
  return `# Errors\n\nWritten by \`npm run generate\` from \`packages/contract/src/errors.ts\`. Every refusal has one of these codes, a message about\nthe very request, and the hint below.\n\n${entries.join('\n')}
# Without an answer of the hub

${client.join('\n')}`
}
