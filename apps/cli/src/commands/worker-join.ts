import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Config } from '../config.ts'
import { checkedOrigin } from '../connection.ts'
import type { Command } from '../context.ts'
import { Failure } from '../failure.ts'
import { checkout } from '../up/checkout.ts'
import { workerEnvironment } from '../up/parts.ts'
import { preparePlaces } from '../up/places.ts'

type JoinOptions = { token?: string; slots?: number }

/** Runs a worker in the foreground until it is told to stop. The token reaches it in a file, never in its arguments. */
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
  output.note(`Joining ${hub} as a worker; data in ${data}. Ctrl-C leaves.`)
  const slots = options.slots ?? config.slots
  const code = await runWorker(workerEnvironment(config, { hub, tokenFile, data, slots }))
  await rm(tokenFile, { force: true })
  return code
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

async function runWorker(env: Record<string, string>): Promise<number> {
  const child = spawn(process.execPath, [checkout.worker], {
    env: { ...env, MUSTER_LIFELINE: '1' },
    // Its own group: one Ctrl-C reaches it once, from us.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const pass = (signal: NodeJS.Signals) => child.kill(signal)
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, pass)
  if (process.connected) process.once('disconnect', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    // Asked to stop and stopped in order is a success; ended by a signal of somebody else's is not.
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}
