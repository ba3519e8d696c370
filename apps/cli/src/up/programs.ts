import { spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import type { Output } from '../output.ts'
import { neutraliseLine } from '../terminal-text.ts'

const installers = [
  { program: 'apt-get', args: ['install', '-y', '--no-install-recommends'], refresh: ['update'] },
  { program: 'dnf', args: ['install', '-y'], refresh: null },
  { program: 'apk', args: ['add', '--no-progress'], refresh: ['update'] },
  { program: 'pacman', args: ['-S', '--noconfirm', '--needed'], refresh: ['-Sy'] },
  { program: 'zypper', args: ['--non-interactive', 'install'], refresh: null },
] as const

// A mirror that does not answer must not keep Muster from starting.
const limitMs = 120_000

export async function onPath(program: string, path: string | undefined): Promise<string | undefined> {
  for (const directory of (path ?? '').split(':')) {
    if (directory === '') continue
    const candidate = join(directory, program)
    try {
      await access(candidate, constants.X_OK)
      return candidate
    } catch {
      continue
    }
  }
  return undefined
}

/** The one command that brings a package on this machine. */
export async function installCommand(name: string, path: string | undefined): Promise<string> {
  for (const { program, args } of installers) {
    if ((await onPath(program, path)) === undefined) continue
    return `${process.getuid?.() === 0 ? '' : 'sudo '}${program} ${args.join(' ')} ${name}`
  }
  return process.platform === 'darwin'
    ? `brew install ${name}`
    : `install the package "${name}" of your system`
}

/** Brings a program by the distribution's package manager if we may, else says how. Never keeps Muster from starting. */
export async function ensureProgram(
  wanted: { program: string; package: string; why: string },
  { config, output, signal }: { config: Config; output: Output; signal: AbortSignal },
): Promise<void> {
  const path = config.inherited['PATH']
  if ((await onPath(wanted.program, path)) !== undefined || signal.aborted) return
  const command = await installCommand(wanted.package, path)
  const found = await firstInstaller(path)
  if (process.getuid?.() !== 0 || found === undefined) {
    output.note(`${wanted.package} is missing: ${wanted.why}. Run: ${command}`)
    return
  }
  output.note(`Installing ${wanted.package} (${wanted.why}): ${command}`)
  const run = (args: readonly string[]) => runQuietly(found.program, args, { config, output, signal })
  let result = await run([...found.args, wanted.package])
  if (result.code !== 0 && found.refresh !== null && !signal.aborted) {
    await run(found.refresh)
    result = await run([...found.args, wanted.package])
  }
  if ((await onPath(wanted.program, path)) !== undefined) return
  output.note(`${wanted.package} could not be installed:\n${result.lastLines}\nRun it by hand: ${command}`)
}

async function firstInstaller(path: string | undefined) {
  for (const installer of installers) {
    if ((await onPath(installer.program, path)) !== undefined) return installer
  }
  return undefined
}

/** Runs a program with its latest line as status, and keeps the last lines for the case that it fails. */
export async function runQuietly(
  program: string,
  args: readonly string[],
  { config, output, signal }: { config: Config; output: Output; signal: AbortSignal },
): Promise<{ code: number | null; lastLines: string }> {
  const child = spawn(program, args, {
    env: { ...config.inherited, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
  })
  let last = ''
  const take = (piece: Buffer) => {
    last = (last + piece.toString()).slice(-2_000)
    const line = last.trimEnd().split('\n').at(-1) ?? ''
    output.status(`  ${neutraliseLine(line)}`)
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      last += `\n${error.message}`
      resolve(null)
    })
    child.once('close', resolve)
  })
  output.status('')
  const lines = last.trimEnd().split('\n').map(neutraliseLine)
  // Below the sentence that says what is wrong, Node prints where in its own code.
  const told = lines.findLastIndex((line) => /^\w*Error\b.*: /.test(line))
  return { code, lastLines: (told === -1 ? lines.slice(-6) : lines.slice(told, told + 1)).join('\n') }
}
