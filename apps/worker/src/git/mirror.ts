import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GitError } from './git-error.ts'
import type { Git } from './git.ts'
import { hasAll, readOwnRefs } from './own-refs.ts'
import { readProgress, type FetchProgress } from './progress.ts'
import { chooseBase, readRemote } from './remote-refs.ts'
import { asOwner, gitAddress, parseRepoUrl, type RepoAddress } from './repo-url.ts'

export type Repo = { id: string; url: string; branch?: string | undefined }

export type Mirror = {
  repoId: string
  /** The bare repository on this machine. */
  path: string
  /** The branch work starts from, and its commit at the time of the update. */
  branch: string
  base: string
  /** Where the person's branches were when the update began. */
  branches: ReadonlyMap<string, string>
  ms: number
}

export type UpdateOptions = {
  onProgress?: ((progress: FetchProgress) => void) | undefined
  signal?: AbortSignal | undefined
}

export type Mirrors = {
  /**
   * Brings the mirror up to date with the person's repository; callers for one repository take turns. After a start
   * of the worker this comes before anything else is done with a mirror, because it clears what a crash left.
   */
  update(repo: Repo, options?: UpdateOptions): Promise<Mirror>
  pathOf(repoId: string): string
}

const firstCloneLimitMs = 300_000
const fetchLimitMs = 120_000
const localLimitMs = 60_000

/**
 * One bare mirror per repository, in a directory that belongs to one worker process.
 *
 * What must stay true: the person's branches and tags are in refs/remotes/origin and refs/tags, the results of runs
 * in refs/muster/runs, and nothing else is. A mirror appears under its name only when its first fetch is complete;
 * a worker that is killed half-way leaves a draft that the next start removes. Lock files that a killed git left are
 * removed on the first use after a start, when nobody else can hold them. A mirror that git cannot fetch into, though
 * the person's repository answers, is built anew, keeping the results of runs that can still be read.
 */
export function createMirrors({ dir, git }: { dir: string; git: Git }): Mirrors {
  const turns = new Map<string, Promise<unknown>>()
  const prepared = new Set<string>()

  function pathOf(repoId: string): string {
    if (!/^\w[\w.-]{0,127}$/.test(repoId)) throw new Error(`${JSON.stringify(repoId)} cannot name a mirror`)
    return join(dir, `${repoId}.git`)
  }

  async function update(repo: Repo, options: UpdateOptions = {}): Promise<Mirror> {
    const before = turns.get(repo.id) ?? Promise.resolve()
    const mine = before.then(() => updateNow(repo, options))
    const settled = mine.catch(() => undefined)
    turns.set(repo.id, settled)
    return mine.finally(() => {
      if (turns.get(repo.id) === settled) turns.delete(repo.id)
    })
  }

  async function updateNow(repo: Repo, options: UpdateOptions): Promise<Mirror> {
    const started = performance.now()
    const path = pathOf(repo.id)
    const address = parseRepoUrl(repo.url)
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const remote = await readRemote(git, address, { cwd: dir, signal: options.signal })
    const { branch, commit } = chooseBase(remote, gitAddress(address), repo.branch)
    if (!prepared.has(repo.id)) await clearAfterCrash(dir, repo.id)
    prepared.add(repo.id)
    const own = await readOwnRefs(git, path)
    const isCurrent = own !== undefined && hasAll(own, remote, branch)
    if (own === undefined) await build(path, address, options)
    else if (!isCurrent) await refresh(path, address, options)
    const base = isCurrent ? commit : await fetchedCommit(path, branch)
    const { branches } = remote
    return { repoId: repo.id, path, branch, base, branches, ms: performance.now() - started }
  }

  /** The branch may have moved between the question and the fetch: what was fetched is what exists here. */
  async function fetchedCommit(path: string, branch: string): Promise<string> {
    const ref = `refs/remotes/origin/${branch}^{commit}`
    return (await git.run(['rev-parse', '--verify', ref], local(path))).stdout.trim()
  }

  async function refresh(path: string, address: RepoAddress, options: UpdateOptions) {
    const fetched = await fetchInto(path, address, fetchLimitMs, options).catch((error: unknown) => error)
    if (fetched === undefined) return
    if (!(fetched instanceof GitError) || fetched.code !== 'git_failed') throw fetched
    await build(path, address, options)
  }

  async function build(path: string, address: RepoAddress, options: UpdateOptions) {
    const draft = `${path}.draft`
    const broken = `${path}.broken`
    await rm(draft, { recursive: true, force: true })
    await git.run(['init', '--quiet', '--bare', draft], local(dir))
    await fetchInto(draft, address, firstCloneLimitMs, options)
    await rm(broken, { recursive: true, force: true })
    if (await rename(path, broken).then(() => true, isMissing)) {
      await git.attempt(
        ['fetch', '--quiet', '--no-tags', broken, '+refs/muster/*:refs/muster/*'],
        local(draft),
      )
    }
    await rename(draft, path)
    await rm(broken, { recursive: true, force: true })
  }

  async function fetchInto(path: string, address: RepoAddress, limitMs: number, options: UpdateOptions) {
    const uploadPack = `--upload-pack=${await asOwner(address)}git-upload-pack`
    const refspecs = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*']
    const flags = ['--prune', '--progress', '--no-write-fetch-head', '--no-auto-maintenance', uploadPack]
    await git.run(['fetch', ...flags, '--', gitAddress(address), ...refspecs], {
      cwd: path,
      timeoutMs: limitMs,
      signal: options.signal,
      onStderr: options.onProgress === undefined ? undefined : readProgress(options.onProgress),
    })
  }

  return { update, pathOf }
}

function local(cwd: string) {
  return { cwd, timeoutMs: localLimitMs }
}

async function clearAfterCrash(dir: string, repoId: string) {
  const path = join(dir, `${repoId}.git`)
  await rm(`${path}.draft`, { recursive: true, force: true })
  // Killed between the two renames of a rebuild: the old mirror still holds the results of runs.
  if (!existsSync(path)) await rename(`${path}.broken`, path).catch(isMissing)
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    const inObjects = entry.parentPath.startsWith(join(path, 'objects'))
    const partial = inObjects && entry.isFile() && entry.name.startsWith('tmp_')
    const incoming = entry.parentPath === path && entry.name.startsWith('incoming-')
    const packing = entry.parentPath === join(path, 'history') && entry.name.startsWith('draft-')
    if (partial || incoming || packing || entry.name.endsWith('.lock'))
      await rm(join(entry.parentPath, entry.name), { recursive: true, force: true })
  }
}

function isMissing(error: NodeJS.ErrnoException): false {
  if (error.code !== 'ENOENT') throw error
  return false
}
