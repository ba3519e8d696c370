import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const sources = join(import.meta.dirname, 'server')

/**
 * Strips the types, in a process that ends: what Node needs for it stays in memory, 25 MB of it, and the worker has a
 * ceiling. A wall may have a Node that cannot do it, since it has whichever the machine has.
 */
const strip = `
const { readFileSync } = require('node:fs')
const { stripTypeScriptTypes } = require('node:module')
const [dir, ...names] = process.argv.slice(1)
const files = names.map((name) => [
  name.replace(/\\.ts$/, '.mjs'),
  stripTypeScriptTypes(readFileSync(dir + '/' + name, 'utf8')).replace(/(from '\\.\\/[\\w-]+)\\.ts'/g, "$1.mjs'"),
])
process.stdout.write(JSON.stringify(Object.fromEntries(files)))
`

let program: Promise<string> | undefined

/** The tool server as one line of JSON, its files by name; made once per process. */
export function readServerProgram(): Promise<string> {
  program ??= make().catch((error: unknown) => {
    program = undefined
    throw error
  })
  return program
}

async function make(): Promise<string> {
  const names = (await readdir(sources)).filter((name) => name.endsWith('.ts') && !name.includes('.test.'))
  const argv = ['--disable-warning=ExperimentalWarning', '-e', strip, sources, ...names]
  const { stdout } = await promisify(execFile)(process.execPath, argv, {
    env: {},
    maxBuffer: 4 * 1024 * 1024,
  })
  return stdout
}

/**
 * What Node in the wall is started with: it waits for the program on standard input, writes it to /tmp, which is the
 * wall's own, and loads it. Mounting it would need a place that the wall's unprivileged user can reach.
 */
export const boot = `
const fs = require('node:fs'), os = require('node:os'), path = require('node:path'), url = require('node:url')
let line = ''
const read = (text) => {
  line += text
  if (!line.endsWith('\\n')) return
  process.stdin.off('data', read)
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'muster-tools-'))
  for (const [name, text] of Object.entries(JSON.parse(line))) fs.writeFileSync(path.join(dir, name), text)
  import(url.pathToFileURL(path.join(dir, 'main.mjs'))).then(
    () => fs.rmSync(dir, { recursive: true }),
    (error) => { console.error(error); process.exit(70) },
  )
}
process.stdin.setEncoding('utf8')
process.stdin.on('data', read)
`
