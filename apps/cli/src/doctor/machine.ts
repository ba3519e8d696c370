import { access, constants, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ifPresent } from '@muster/postgres/missing-file'
import { findPlaces } from '../up/places.ts'
import { installCommand, onPath } from '../up/programs.ts'
import type { Config } from '../config.ts'
import { type Check, fail, ok, skip, type Verdict, warn } from './finding.ts'
import { runProgram } from './run-program.ts'

export function machineChecks(config: Config): Check[] {
  return [
    { id: 'node', title: 'Node.js', look: async () => nodeVersion(process.versions.node) },
    { id: 'configuration', title: 'Configuration', look: async () => configuration(config) },
    { id: 'git', title: 'git', look: async () => git(config) },
    { id: 'tools', title: 'Tools for walls', look: async () => tools(config) },
    { id: 'data', title: 'Data directory', look: async () => dataDirectory(config) },
    { id: 'secrets', title: 'Rights of secret files', look: async () => secretFiles(config) },
    { id: 'disk', title: 'Free space', look: async () => disk(config) },
  ]
}

export function nodeVersion(version: string): Verdict {
  return Number(version.split('.')[0]) >= 24
    ? ok(version)
    : fail(`${version} is too old`, 'Start with "npx muster", which brings Node 24.')
}

function configuration(config: Config): Verdict {
  if (config.unknown.length === 0) return ok('every MUSTER_ variable is known')
  return warn(
    `unknown: ${config.unknown.join(', ')}`,
    `Unset or correct it: unset ${config.unknown.join(' ')}`,
  )
}

async function git(config: Config): Promise<Verdict> {
  const { code, output } = await runProgram('git', ['--version'], config.inherited)
  const version = /(\d+)\.(\d+)/.exec(output)
  if (code !== 0 || version === null) {
    return fail('not found', await installCommand('git', config.inherited['PATH']))
  }
  // 2.31 is the first that takes configuration from the environment alone.
  const enough = Number(version[1]) > 2 || Number(version[2]) >= 31
  return enough
    ? ok(output.replace('git version ', ''))
    : fail(`${output} is older than 2.31`, await installCommand('git', config.inherited['PATH']))
}

async function tools(config: Config): Promise<Verdict> {
  const path = config.inherited['PATH']
  const needed = ['setpriv', 'prlimit']
  const welcome = ['python3', 'make', 'cc', 'go', 'cargo']
  const found = await Promise.all(
    [...needed, ...welcome].map(async (name) => [name, await onPath(name, path)] as const),
  )
  const missing = found
    .filter(([name, at]) => at === undefined && needed.includes(name))
    .map(([name]) => name)
  const present = found.filter(([, at]) => at !== undefined).map(([name]) => name)
  if (missing.length > 0)
    return warn(`missing: ${missing.join(', ')}`, await installCommand('util-linux', path))
  return ok(present.join(', '))
}

async function dataDirectory(config: Config): Promise<Verdict> {
  const info = await ifPresent(stat(config.data))
  if (info === undefined) return skip(`${config.data} is made by the first start`)
  if (!info.isDirectory())
    return fail(`${config.data} is not a directory`, `Move it away: mv '${config.data}' '${config.data}.old'`)
  try {
    await access(config.data, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return fail(`${config.data} is not writable for this user`, `sudo chown "$USER" '${config.data}'`)
  }
  const { dataMode } = await findPlaces(config.data)
  const mode = info.mode & 0o777
  return (mode & ~dataMode) === 0
    ? ok(`${config.data}, mode ${mode.toString(8)}`)
    : warn(`${config.data} has mode ${mode.toString(8)}`, `chmod ${dataMode.toString(8)} '${config.data}'`)
}

async function secretFiles(config: Config): Promise<Verdict> {
  if ((await ifPresent(stat(config.data))) === undefined) return skip('no data directory yet')
  const places = await findPlaces(config.data)
  const files = [
    join(places.data, 'owner.token'),
    join(places.data, 'worker.token'),
    join(places.database, 'password'),
  ]
  const open: string[] = []
  let found = 0
  for (const file of files) {
    const info = await ifPresent(stat(file))
    if (info === undefined) continue
    found++
    if ((info.mode & 0o077) !== 0) open.push(file)
  }
  if (open.length > 0) {
    const names = open.map((file) => `'${file}'`).join(' ')
    return fail(`readable by others: ${open.join(', ')}`, `chmod 600 ${names}`)
  }
  return found === 0 ? skip('no secrets yet') : ok(`${found} files, for their owner only`)
}

const leastBytes = 1024 ** 3
const leastInodes = 10_000

async function disk(config: Config): Promise<Verdict> {
  const place = (await ifPresent(findPlaces(config.data)))?.reachable ?? config.data
  const info = await statfs(await nearestExisting(place))
  const bytes = info.bavail * info.bsize
  const text = `${(bytes / 1024 ** 3).toFixed(1)} GB free`
  if (bytes < leastBytes)
    return fail(`${text} for ${place}`, `See what is large: du -xh --max-depth=2 '${place}' | sort -h | tail`)
  // Some file systems count no inodes and say 0 of 0.
  if (info.files > 0 && info.ffree < leastInodes) {
    return fail(`${info.ffree} inodes free for ${place}`, 'Remove many small files, such as old caches.')
  }
  return ok(info.files > 0 ? `${text}, ${info.ffree} inodes` : text)
}

async function nearestExisting(path: string): Promise<string> {
  if ((await ifPresent(stat(path))) !== undefined || path === dirname(path)) return path
  return nearestExisting(dirname(path))
}
