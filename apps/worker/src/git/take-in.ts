import type { Changed } from '@muster/agent/verify/report'
import type { TreeEntry } from '@muster/agent/verify/proof-files'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readBundleHeader, refuseBundle } from './bundle-header.ts'
import { readChanges } from './changes.ts'
import { GitError } from './git-error.ts'
import { lastLine, type Git } from './git.ts'
import { withObjects } from './objects.ts'
import { createTreeReader, readCommit, readTexts } from './tree.ts'

export type TakeInOptions = {
  git: Git
  /** Path of the bare mirror. */
  mirror: string
  /** Null when the run changed nothing. */
  bundle: string | null
  runId: string
  /** What the wall said the result is. */
  commit: string
  base: string
  signal?: AbortSignal | undefined
}

export type TakenIn = {
  /** The ref of the mirror that keeps the result. */
  ref: string
  /** Files of the mirror that hold what the run added to the base: packs and their indexes. */
  packs: string[]
  changed: Changed
  diff: { text: string; cut: boolean }
  trees: { base: TreeEntry[]; commit: TreeEntry[] }
  /** Files of the base that say how it is tested, as the proof plan wants them. */
  baseTexts: Record<string, string>
}

const bundleLimitBytes = 256 * 1024 * 1024
const stepLimitMs = 120_000

/**
 * Brings a result into the mirror as `refs/muster/runs/<run>`.
 *
 * The bundle was written by an agent. Its objects are first unpacked beside the mirror's own, checked there, and only
 * moved in when everything holds: git's strict object check passes (which refuses `.git` in any spelling, hostile
 * .gitmodules and malformed objects), the tip is the commit that was named, all it reaches is there, and it stands on
 * the base. `git fetch` is not used, because git before 2.46 ignores fetch.fsckObjects for bundles.
 *
 * Nothing is checked out, so no filter, attribute or hook that the result contains has any effect.
 */
export async function takeIn(options: TakeInOptions): Promise<TakenIn> {
  const { git, mirror, runId, commit, base, signal } = options
  if (!/^\w[\w-]{0,127}$/.test(runId)) throw new Error(`${JSON.stringify(runId)} cannot name a ref`)
  if (!isOid(commit) || !isOid(base)) throw refuseBundle('it names no commit')
  const ref = `refs/muster/runs/${runId}`
  if (options.bundle === null && commit !== base)
    throw refuseBundle('there is no bundle, yet the commit is not the base')
  const { bundle } = options
  const admitted =
    bundle === null ? { ...(await list(options, {})), packs: [] } : await admit(options, bundle)
  const changes = await readChanges(git, { mirror, base, commit, signal })
  await writeRef(mirror, ref, commit)
  return { ref, ...changes, ...admitted }
}

type Listed = Pick<TakenIn, 'trees' | 'baseTexts'>
type Admitted = Listed & Pick<TakenIn, 'packs'>

/** Answers the trees that it checked: a commit names them by their content, so they need not be read again. */
async function admit(options: TakeInOptions, bundle: string): Promise<Admitted> {
  const { mirror, runId, commit } = options
  const header = await readBundleHeader(bundle, bundleLimitBytes)
  if (header.tips.length !== 1 || header.tips[0]?.oid !== commit)
    throw refuseBundle('it is not the commit that was named')
  const incoming = join(mirror, `incoming-${runId}`)
  await rm(incoming, { recursive: true, force: true })
  await mkdir(join(incoming, 'pack'), { recursive: true })
  const env = { GIT_OBJECT_DIRECTORY: incoming, GIT_ALTERNATE_OBJECT_DIRECTORIES: join(mirror, 'objects') }
  try {
    await unpack(options, { bundle, packOffset: header.packOffset, env })
    await checkComplete(options, env)
    const listed = await list(options, env)
    checkPaths(listed.trees)
    return { ...listed, packs: await moveIn(join(incoming, 'pack'), join(mirror, 'objects', 'pack')) }
  } finally {
    await rm(incoming, { recursive: true, force: true })
  }
}

type Unpacking = { bundle: string; packOffset: number; env: Record<string, string> }

async function unpack({ git, mirror, signal }: TakeInOptions, { bundle, packOffset, env }: Unpacking) {
  const stdin = createReadStream(bundle, { start: packOffset })
  const unpacked = await git
    .attempt(['index-pack', '--stdin', '--fix-thin', '--strict', `--max-input-size=${bundleLimitBytes}`], {
      cwd: mirror,
      timeoutMs: stepLimitMs,
      signal,
      stdin,
      env,
    })
    .finally(() => stdin.destroy())
  if (unpacked.code !== 0) {
    throw refuseBundle(`git's object check says "${lastLine(unpacked.stderr)}"`, unpacked.stderr)
  }
}

async function checkComplete({ git, mirror, commit, signal }: TakeInOptions, env: Record<string, string>) {
  const complete = await git.attempt(
    ['rev-list', '--objects', '--quiet', `${commit}^{commit}`, '--not', '--all'],
    { cwd: mirror, timeoutMs: stepLimitMs, signal, env },
  )
  if (complete.code !== 0) throw refuseBundle('objects are missing in it', complete.stderr)
}

/** What the base and the commit hold, once it is known that one stands on the other. */
async function list(options: TakeInOptions, env: Record<string, string>): Promise<Listed> {
  const { git, mirror, base, commit, signal } = options
  const step = { cwd: mirror, timeoutMs: stepLimitMs, signal, env }
  return withObjects(git, step, async (read) => {
    const [before, after] = await Promise.all([readCommit(read, base), readCommit(read, commit)])
    if (before === undefined || after === undefined) throw refuseBundle('a commit of it cannot be read')
    // Most results are one commit on the base, and then no git has to go through the history.
    if (commit !== base && !after.parents.includes(base)) await checkAncestor(options, env)
    const readTree = createTreeReader(read)
    const trees = { base: await readTree(before.tree), commit: await readTree(after.tree) }
    return { trees, baseTexts: await readTexts(read, trees.base) }
  })
}

async function checkAncestor(
  { git, mirror, commit, base, signal }: TakeInOptions,
  env: Record<string, string>,
) {
  const step = { cwd: mirror, timeoutMs: stepLimitMs, signal, env }
  const ancestor = await git.attempt(['merge-base', '--is-ancestor', base, commit], step)
  if (ancestor.code === 0) return
  throw new GitError(
    'history_rewritten',
    'The result does not stand on the commit the run started from.',
    ancestor,
  )
}

export function checkPaths(trees: TakenIn['trees']) {
  const before = new Map(trees.base.map((entry) => [entry.path, entry]))
  for (const { path, mode } of trees.commit) {
    const known = before.get(path)
    if (known?.mode === mode) continue
    if (path.split('/').some((name) => name.toLowerCase() === '.git')) {
      throw refuseBundle(`it contains the path ${JSON.stringify(path)}`)
    }
    if (mode === '160000') {
      throw new GitError('nested_repository', `${path} is a git repository inside the workspace.`, {
        hint: 'Its files would be left behind. Remove its .git directory, so that the files become part of the work.',
      })
    }
  }
}

/** The index comes last: git takes a pack for present when it sees its .idx. */
async function moveIn(from: string, to: string): Promise<string[]> {
  const isIndex = (name: string) => Number(name.endsWith('.idx'))
  const names = (await readdir(from)).toSorted((a, b) => isIndex(a) - isIndex(b))
  for (const name of names) await rename(join(from, name), join(to, name))
  return names.filter((name) => /\.(pack|idx)$/.test(name)).map((name) => join(to, name))
}

/**
 * As `git update-ref` writes it, without a program to start: whole or not at all. The name is new with each run, so there is no
 * value that could be lost; a lock that a crash leaves goes with the others of the mirror at the next start.
 */
async function writeRef(mirror: string, ref: string, commit: string) {
  const path = join(mirror, ref)
  await mkdir(dirname(path), { recursive: true })
  const file = await open(`${path}.lock`, 'w')
  try {
    await file.writeFile(`${commit}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.lock`, path)
}

function isOid(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text)
}
