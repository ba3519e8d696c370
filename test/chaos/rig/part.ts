import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'

export type Part = ReturnType<typeof startPart>

/**
 * One process of the rig. Its channel is its lifeline: it ends by itself when the driver is gone. `onEnd` is told
 * whether anybody had asked for the end; a hub or worker that ends by itself is a finding.
 */
export function startPart(options: {
  name: string
  script: string
  start: unknown
  logDir: string
  /** Before the program, such as `ip netns exec NAME`. */
  prefix?: string[]
  onMessage: (message: unknown) => void
  onEnd: (end: { asked: boolean; how: string }) => void
}) {
  const [program = '', ...args] = [
    ...(options.prefix ?? []),
    process.execPath,
    options.script,
    JSON.stringify(options.start),
  ]
  // As `muster up` starts its parts.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(options.logDir, 'compiled') }
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const log = createWriteStream(join(options.logDir, `${options.name}.log`), { flags: 'a' })
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  let asked = false
  let isReady: () => void = () => {}
  const ready = new Promise<void>((resolve) => (isReady = resolve))
  child.on('message', (message) => {
    if ((message as { type?: string }).type === 'ready') isReady()
    options.onMessage(message)
  })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`did not start: ${error.message}`))
    // "close" and not "exit": what it still had to say has been heard by then.
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  void ended.then((how) => {
    log.end()
    options.onEnd({ asked, how })
  })
  const signal = (name: NodeJS.Signals) => void child.kill(name)
  return {
    name: options.name,
    pid: child.pid ?? 0,
    /** Settles at its first word that it serves or is connected; also when it ends before. */
    ready: Promise.race([ready, ended.then(() => {})]),
    ended,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    /** -9. Signalled when this returns, gone when the promise settles. */
    kill() {
      asked = true
      signal('SIGKILL')
      return ended
    },
    stop() {
      asked = true
      signal('SIGTERM')
      const timer = setTimeout(() => signal('SIGKILL'), 5_000)
      return ended.finally(() => clearTimeout(timer))
    },
  }
}
