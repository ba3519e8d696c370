import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../test/architecture/sources.ts'

export type StepResult = { name: string; ok: boolean; ms: number; output: string }

/**
 * Runs a command of the checkout and shows what it prints, or only when it fails. Ended after `limitMs`, so that
 * nothing can hang a run for ever.
 */
export async function runStep(
  name: string,
  argv: string[],
  options: { quiet?: boolean; limitMs: number; env?: Record<string, string> },
): Promise<StepResult> {
  const started = performance.now()
  const [program = '', ...args] = argv
  const env = {
    ...process.env,
    ...options.env,
    PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
  }
  const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      output = (output + text).slice(-200_000)
      if (options.quiet !== true) process.stdout.write(text)
    })
  }
  // Its own process group: a step that is stopped takes what it started with it.
  const stop = () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL')
  const timer = setTimeout(stop, options.limitMs)
  const onSignal = () => {
    stop()
    process.exit(130)
  }
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  const code = await new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(127))
    child.on('close', resolve)
  })
  clearTimeout(timer)
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  const ms = Math.round(performance.now() - started)
  if (code !== 0 && options.quiet === true) process.stdout.write(output)
  return { name, ok: code === 0, ms, output }
}
