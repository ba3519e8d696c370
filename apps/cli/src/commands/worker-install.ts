import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { slugName } from '@muster/contract/text'
import { ifPresent } from '@muster/postgres/missing-file'
import type { Config } from '../config.ts'
import { checkedOrigin } from '../connection.ts'
import type { Command } from '../context.ts'
import { exits } from '../exit-code.ts'
import { Failure } from '../failure.ts'
import { hasSystemd, requireSystemd, systemctl } from '../service/systemd.ts'
import { removeFiles, servicePlaces, writeFiles } from '../service/service-files.ts'
import { environmentText, unitText } from '../service/unit.ts'
import { checkout } from '../up/checkout.ts'
import { workerEnvironment } from '../up/worker-environment.ts'

type NameOptions = { name?: string; userUnit?: boolean }
type InstallOptions = NameOptions & {
  url?: string
  tokenFile?: string
  user?: string
  writable?: string[]
  print?: boolean
}

/**
 * Makes a worker a service of systemd. The token goes into a file of its own, readable by its owner only, and never into
 * the unit or a command line. Said twice it changes nothing; said otherwise it changes what is otherwise.
 */
export const installWorker: Command<InstallOptions> = async ({ config, output }, options) => {
  const name = serviceName(options.name)
  const userUnit = options.userUnit === true
  const places = placesOf(name, userUnit)
  const hub = checkedOrigin(options.url ?? config.hub ?? '')
  const user = userUnit ? null : (options.user ?? null)
  const unit = unitText({
    name,
    hub,
    user,
    userUnit,
    home: await homeOf(user ?? 'root'),
    node: process.execPath,
    checkout: checkout.root,
    dataDir: places.data,
    environmentFile: places.environment,
    tokenFile: places.token,
    writable: options.writable ?? [],
  })
  if (options.print === true) {
    if (output.json) output.document({ unit, places })
    else output.data(unit)
    return exits.ok
  }
  requireSystemd()
  requireRoot(userUnit)
  const changed = await writeFiles([
    { path: places.token, text: `${await givenToken(config, options.tokenFile)}\n`, mode: 0o600 },
    { path: places.environment, text: environmentText(settingsOf(config, { hub, places })), mode: 0o600 },
    { path: places.unit, text: unit, mode: 0o644 },
  ])
  const manager = { userUnit, env: config.inherited }
  if (changed.length > 0) await systemctl(['daemon-reload'], manager)
  await systemctl(['enable', `${name}.service`], manager)
  await systemctl([changed.length > 0 ? 'restart' : 'start', '--no-block', `${name}.service`], manager)
  if (output.json) output.document({ changed, places })
  else if (changed.length === 0) output.note(`${name}.service is installed like this already.`)
  else output.note(`${name}.service is installed and starts. Its log: journalctl -u ${name}`)
  return exits.ok
}

/** Removes exactly what install wrote. What the worker keeps, its journal above all, stays. */
export const uninstallWorker: Command<NameOptions> = async ({ config, output }, options) => {
  const name = serviceName(options.name)
  const userUnit = options.userUnit === true
  const places = placesOf(name, userUnit)
  if (hasSystemd()) requireRoot(userUnit)
  const isThere = (await ifPresent(readFile(places.unit))) !== undefined
  const manager = { userUnit, env: config.inherited }
  if (isThere && hasSystemd()) await systemctl(['disable', '--now', '--no-block', `${name}.service`], manager)
  const removed = await removeFiles(places)
  if (removed.length > 0 && hasSystemd()) await systemctl(['daemon-reload'], manager)
  if (output.json) output.document({ removed, places })
  else if (removed.length === 0) output.note(`${name}.service is not installed here.`)
  else output.note(`Removed ${removed.join(', ')}. The data of the worker is still in ${places.data}.`)
  return exits.ok
}

function requireRoot(userUnit: boolean): void {
  if (userUnit || process.getuid?.() === 0) return
  throw new Failure(
    'forbidden',
    'A service of the machine is installed by root.',
    'Say sudo before it, or --user-unit for your own systemd.',
    exits.denied,
  )
}

function serviceName(given: string | undefined): string {
  if (given === undefined) return 'muster-worker'
  if (slugName.safeParse(given).success) return `muster-worker-${given}`
  throw new Failure(
    'usage',
    `"${given}" is no name of a service.`,
    'Use lower-case letters, digits and dashes.',
  )
}

function placesOf(name: string, userUnit: boolean) {
  const home = homedir()
  return servicePlaces(
    name,
    userUnit ? { config: join(home, '.config'), data: join(home, '.local/share') } : null,
  )
}

/** By the password file: the user of a service need not be the one who installs it. */
async function homeOf(user: string): Promise<string> {
  const lines = ((await ifPresent(readFile('/etc/passwd', 'utf8'))) ?? '').split('\n')
  const home = lines.find((line) => line.startsWith(`${user}:`))?.split(':')[5]
  if (home !== undefined && home !== '') return home
  throw new Failure('usage', `There is no user ${user} on this machine.`, `Make it: useradd --system ${user}`)
}

async function givenToken(config: Config, file: string | undefined): Promise<string> {
  const token = file === undefined ? (config.token ?? '') : await read(file)
  if (/^[\x21-\x7e]{16,}$/.test(token.trim())) return token.trim()
  throw new Failure(
    'no_token',
    'There is no worker token.',
    'Pass --token-file, "-" for stdin. "npx muster token create NAME --worker" makes one.',
  )
}

async function read(file: string): Promise<string> {
  if (file === '-') return text(process.stdin)
  const found = await ifPresent(readFile(file, 'utf8'))
  if (found !== undefined) return found
  throw new Failure('no_token', `${file} is not there.`, 'Name the file that holds the worker token.')
}

function settingsOf(config: Config, { hub, places }: { hub: string; places: { data: string } }) {
  const { slots } = config
  const worker = { hub, data: places.data, slots, tokenFile: '', supervisor: 'join' as const, restarts: 0 }
  const environment = Object.entries(workerEnvironment({ ...config, inherited: {} }, worker))
  // The token's place is the unit's to say, and who supervises is seen by the worker itself.
  const others = ['MUSTER_TOKEN_FILE', 'MUSTER_SUPERVISOR', 'MUSTER_RESTARTS']
  return Object.fromEntries(environment.filter(([key, value]) => value !== '' && !others.includes(key)))
}
