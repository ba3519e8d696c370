import { readFileSync } from 'node:fs'
import type { Context } from './context.ts'
import { reportOf } from './failure.ts'
import { createOutput, type Output } from './output.ts'
import { createProgram } from './program.ts'
import { neutralise, safeJson } from './terminal-text.ts'

const arguments_ = process.argv.slice(2)
const words = arguments_.includes('--') ? arguments_.slice(0, arguments_.indexOf('--')) : arguments_
const json = words.includes('--json')
const plain = words.includes('--no-color')
const command = words.find((word) => !word.startsWith('-'))
const serves = command === 'up' || (command === 'worker' && words.includes('join'))
const waits = command === 'task' && (words.includes('--wait') || words.includes('watch'))

// `muster task list | head -1` closes the pipe while we write: that is the reader's right and no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    // `up` goes on without a reader: its children log to files.
    if (serves) return
    // A reader that left does not make a task done.
    process.exit(process.exitCode ?? (waits ? 1 : 0))
  })
}

// Commands that end in order on a signal, or that say something first, put their own handler beside this one, and it
// leaves the decision to them. It is never taken away: a signal that came while modules were loading waits for the
// event loop, and one that finds no handler there any more is neither obeyed nor deadly, but lost.
process.on('SIGINT', () => {
  if (process.listenerCount('SIGINT') === 1) process.exit(130)
})

process.exitCode = await run()
// Sockets that linger must not keep a finished command, but a pipe takes 64 KiB at a time and the rest is still here.
await Promise.all([process.stdout, process.stderr].map(written))
process.exit()

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writable) stream.write('', () => resolve())
    else resolve()
  })
}

async function run(): Promise<number> {
  const version = (
    JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  ).version
  const program = createProgram({
    version,
    json,
    width: process.stdout.columns || 80,
    open: () => openContext(),
  })
  try {
    return await program.run(process.argv)
  } catch (error) {
    return report(error)
  }
}

async function openContext(): Promise<Context> {
  const { readConfig } = await import('./config.ts')
  // The only place that reads the environment.
  const config = readConfig(process.env)
  const output: Output = createOutput({
    stdout: process.stdout,
    stderr: process.stderr,
    json,
    colour: config.colour && !plain,
  })
  return {
    config,
    output,
    hub: async () => (await import('./connection.ts')).connect(config, output),
  }
}

function report(error: unknown): number {
  const { exit, ...body } = reportOf(error)
  if (json) {
    process.stderr.write(`${safeJson(body, undefined)}\n`)
  } else {
    process.stderr.write(`muster: ${neutralise(body.message)}\n`)
    // With it the one line in the hub's log is found; a refusal needs no log.
    if (body.code === 'internal' && body.requestId !== undefined)
      process.stderr.write(`        Request id: ${neutralise(body.requestId)}\n`)
    if (body.hint !== '') process.stderr.write(`        ${neutralise(body.hint)}\n`)
  }
  return exit
}
