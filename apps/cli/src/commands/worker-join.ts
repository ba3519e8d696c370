import { createHash } from 'node:crypto'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Config } from '../config.ts'
import { checkedOrigin } from '../connection.ts'
import type { Command } from '../context.ts'
import { exits } from '../exit-code.ts'
import { Failure } from '../failure.ts'
import { checkout } from '../up/checkout.ts'
import { startChild } from '../up/child.ts'
import { type LogFile, openLogFile } from '../up/log-file.ts'
import { createStopRequest } from '../up/stop-request.ts'
import { supervise } from '../up/supervise.ts'
import { workerEnvironment } from '../up/worker-environment.ts'
import { preparePlaces } from '../up/places.ts'

type JoinOptions = { token?: string; slots?: number }

/** Keeps a worker running in the foreground until it is told to stop. The token reaches it in a file, never in its arguments. */
export const joinWorker: Command<JoinOptions, [string]> = async ({ config, output }, options, url) => {
  const hub = checkedOrigin(url)
  const token = await givenToken(config, options.token)
  const places = await preparePlaces(config.data)
  // One directory per hub and token: a worker that comes back finds what it was doing.
  const name = `worker-${createHash('sha256').update(`${hub} ${token}`).digest('hex').slice(0, 8)}`
  const data = join(places.reachable, name)
  const tokenFile = join(places.data, `${name}.token`)
  await mkdir(data, { recursive: true, mode: 0o711 })
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600 })
  await chmod(tokenFile, 0o600)
  const slots = options.slots ?? config.slots
  const log = createTeeLog(openLogFile(places.logs, name, config.logSizes))
  const stop = createStopRequest({ lifeline: config.lifeline, force: () => process.exit(1) })
  output.note(`Joining ${hub} as a worker; data in ${data}, log in ${log.path}. Ctrl-C leaves.`)
  const part = {
    name: 'worker',
    log,
    policy: config.workerPolicy,
    isFinal: refusedToken,
    start: async (restarts: number) =>
      startChild({
        name: 'worker',
        script: checkout.worker,
        cwd: data,
        graceMs: 15_000,
        log,
        env: workerEnvironment(config, { hub, tokenFile, data, slots, supervisor: 'join', restarts }),
      }),
  }
  try {
    const on = { changed: async () => {}, say: (text: string) => output.note(text), givenUp: stop.fail }
    const worker = await supervise(part, on)
    await stop.requested()
    await worker.stop()
  } finally {
    log.close()
    await rm(tokenFile, { force: true })
  }
  const failure = stop.failure()
  if (failure !== undefined) throw failure
  return 0
}

/** Into the file, and to whoever looks on: a terminal, the journal, the log of a container. */
function createTeeLog(file: LogFile): LogFile {
  return {
    ...file,
    write(piece) {
      file.write(piece)
      process.stderr.write(piece)
    },
  }
}

/** The worker says it with its exit code; another start would ask the hub with the same token. */
function refusedToken(how: string): Failure | undefined {
  if (how !== `exit code ${exits.denied}`) return undefined
  const hint = 'Make another: npx muster token create NAME --worker'
  return new Failure('unauthenticated', 'The hub refuses this worker token.', hint, exits.denied)
}

async function givenToken(config: Config, option: string | undefined): Promise<string> {
  const token = option === '-' ? await text(process.stdin) : (option ?? config.token ?? '')
  // Sixteen characters is what the worker asks for; it would say so in a line of its log.
  if (/^[\x21-\x7e]{16,}$/.test(token.trim())) return token.trim()
  throw new Failure(
    'no_token',
    token.trim() === '' ? 'There is no worker token.' : 'This is no worker token.',
    'Pass --token - and the token on stdin, or set MUSTER_TOKEN_FILE. "npx muster token create NAME --worker" makes one.',
  )
}
