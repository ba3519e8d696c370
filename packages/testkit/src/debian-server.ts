import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openCluster } from '@muster/postgres/cluster'
import { fastParent, testDatabaseVariable } from './test-cluster.ts'

const debianRoot = '/usr/lib/postgresql'

/** The bin folder of the newest PostgreSQL from Debian's packages on this machine. */
export async function debianBinaries(): Promise<string | undefined> {
  if (!existsSync(debianRoot)) return undefined
  const versions = (await readdir(debianRoot)).filter((name) => /^\d+$/.test(name)).map(Number)
  const newest = versions.toSorted((a, b) => b - a)[0]
  const bin = join(debianRoot, String(newest), 'bin')
  return existsSync(join(bin, 'postgres')) ? bin : undefined
}

/** Runs a command with a server of Debian's to test on, and answers its exit code. */
async function runOnDebianServer(command: string[]): Promise<number> {
  const binaries = await debianBinaries()
  if (binaries === undefined) throw new Error(`no PostgreSQL below ${debianRoot}: apt-get install postgresql`)
  const dir = await mkdtemp(join(await fastParent(), 'muster-debian-'))
  const log = (line: string) => process.stderr.write(`${line}\n`)
  const cluster = await openCluster({ dir, binaries, log, settings: { max_connections: '200' } })
  try {
    return await run(command, { ...process.env, [testDatabaseVariable]: cluster.superuserUrl })
  } finally {
    await cluster.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

/** Ctrl-C reaches the command from the terminal itself; we wait for it to end and then stop the server. */
async function run(command: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: 'inherit', env })
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}

if (import.meta.main) {
  const command = process.argv.slice(process.argv[2] === '--' ? 3 : 2)
  if (command.length === 0) {
    process.stderr.write('usage: node packages/testkit/src/debian-server.ts -- COMMAND [ARGUMENT...]\n')
    process.exitCode = 2
  } else {
    process.exitCode = await runOnDebianServer(command)
  }
}
