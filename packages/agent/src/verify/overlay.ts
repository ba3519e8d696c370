import type { ExecResult, Sandbox } from '@muster/sandbox/sandbox'
import { mergeManifest } from './manifest.ts'
import type { ProofPlan } from './proof-plan.ts'
import type { ProofRecord } from './report.ts'

export type InWall = { wall: Sandbox; signal?: AbortSignal | undefined }

export type OverlayInput = InWall & {
  plan: ProofPlan
  base: string
  commit: string
  /** The command lines of the checks: scripts that they call come from the base, too. */
  commands: readonly string[]
}

/** The overlay could not be made: nothing may be checked, because it would be checked on the run's own proof. */
export class OverlayError extends Error {
  readonly output: string

  constructor(message: string, output: string) {
    super(message)
    this.name = 'OverlayError'
    this.output = output
  }
}

const stepLimitMs = 60_000
/** A package.json above this is not one a person wrote; then the whole file comes from the base. */
const manifestLimitBytes = 1024 * 1024

/**
 * Puts the base's proof over the commit, in the work tree and in the last commit, so that the checks find a clean
 * tree whose history has the length it had. Paths travel through standard input, so that none of them is an option, a
 * pattern or two lines.
 */
export async function applyOverlay(input: OverlayInput): Promise<ProofRecord> {
  const { plan } = input
  const restore = [...plan.restore]
  const record: ProofRecord = { restored: [], removed: [...plan.remove], merged: [] }
  const fromStdin = ['--pathspec-from-file=-', '--pathspec-file-nul']
  await git(input, ['rm', '-r', '-f', '--quiet', '--ignore-unmatch', ...fromStdin], list(plan.remove))
  for (const { path } of plan.merge) {
    const merged = await merge(input, path)
    if (merged === null)
      restore.push({ path, from: 'base', why: 'it cannot be merged with the one of the base' })
    else if (merged.length > 0) record.merged.push({ path, why: cameBack(merged), keys: merged })
  }
  await git(input, ['checkout', '--quiet', input.base, ...fromStdin], list(restore))
  record.restored = restore.map(({ path, why }) => ({ path, why }))
  if (record.restored.length + record.removed.length + record.merged.length === 0) return record
  await git(input, ['commit', '--amend', '--all', '--quiet', '--no-edit', '--no-verify', ...evenEmpty])
  return record
}

function cameBack(keys: readonly string[]): string {
  return `it names the test command: ${keys.join(', ')} ${keys.length === 1 ? 'comes' : 'come'} from the base`
}

const evenEmpty = ['--allow-empty', '--allow-empty-message']

async function merge(input: OverlayInput, path: string): Promise<string[] | null> {
  const [base = null, commit = null] = await Promise.all(
    [input.base, input.commit].map((oid) => readBlob(input, oid, path)),
  )
  if (base === null || commit === null) return null
  const merged = mergeManifest(base, commit, input.commands)
  if (merged === null || merged.keys.length === 0) return merged?.keys ?? null
  done(
    await exec(input, ['/bin/sh', '-c', 'cat > "$1"', 'write', `/workspace/${path}`], merged.text),
    'write',
  )
  return merged.keys
}

async function readBlob(input: OverlayInput, commit: string, path: string): Promise<string | null> {
  const read = await exec(input, ['git', 'cat-file', 'blob', `${commit}:${path}`])
  return read.ended === 'exited' && read.code === 0 && read.droppedBytes === 0 ? read.stdout : null
}

function list(entries: readonly { path: string }[]): string {
  return entries.map(({ path }) => `${path}\0`).join('')
}

export async function git(input: InWall, args: string[], stdin?: string) {
  if (stdin === '') return
  const options = [
    '--literal-pathspecs',
    '-c',
    'core.hooksPath=/dev/null',
    '-c',
    'commit.gpgSign=false',
    '-c',
    'gc.auto=0',
  ]
  done(await exec(input, ['git', ...options, ...args], stdin), `git ${args[0]}`)
}

function done(result: ExecResult, what: string) {
  if (result.ended === 'exited' && result.code === 0) return
  const why = result.ended === 'exited' ? `code ${result.code}` : result.ended.replace('_', ' ')
  throw new OverlayError(
    `The files that define the proof could not be taken from the base (${what}: ${why}).`,
    result.stderr,
  )
}

export function exec({ wall, signal }: InWall, argv: string[], stdin?: string): Promise<ExecResult> {
  const author = { GIT_COMMITTER_NAME: 'Muster', GIT_COMMITTER_EMAIL: 'proof@muster.invalid' }
  return wall.exec(argv, {
    cwd: '/workspace',
    env: { ...author, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C.UTF-8' },
    timeoutMs: stepLimitMs,
    maxOutputBytes: manifestLimitBytes,
    ...(stdin === undefined ? {} : { stdin }),
    ...(signal === undefined ? {} : { signal }),
  })
}
