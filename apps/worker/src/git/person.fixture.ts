import { execFile, execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { createGit } from './git.ts'
import { createMirrors } from './mirror.ts'
import { createPublisher } from './publish.ts'

const run = promisify(execFile)

/** Git as a careless person runs it: everything a repository's own configuration asks for is done. */
const plainEnv = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_COUNT: '2',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
  GIT_CONFIG_KEY_1: 'protocol.file.allow',
  GIT_CONFIG_VALUE_1: 'always',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
}

export async function plainGit(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', args, { cwd, env: plainEnv, timeout: 20_000 })
  return stdout.trim()
}

export function plainGitWith(cwd: string, input: string | Buffer, ...args: string[]): string {
  return execFileSync('git', args, { cwd, env: plainEnv, timeout: 20_000, input }).toString().trim()
}

export async function write(root: string, files: Record<string, string>) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
}

export async function commitAll(
  path: string,
  files: Record<string, string>,
  message = 'Work',
): Promise<string> {
  await write(path, files)
  await plainGit(path, 'add', '--all')
  await plainGit(path, 'commit', '--quiet', '--message', message)
  return plainGit(path, 'rev-parse', 'HEAD')
}

export async function newRepo(
  path: string,
  files: Record<string, string> = { 'a.txt': 'A\n' },
): Promise<string> {
  await mkdir(path, { recursive: true })
  await plainGit(path, 'init', '--quiet', '--initial-branch=main')
  return Object.keys(files).length === 0 ? '' : commitAll(path, files)
}

/** A machine with a person's repository and a worker's directories, gone when the test is. */
export async function newPlace(files?: Record<string, string>) {
  const root = await mkdtemp(join(tmpdir(), 'muster-worker-git-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  await chmod(root, 0o755)
  const repo = join(root, 'person')
  const head = await newRepo(repo, files)
  const home = join(root, 'home')
  const git = await createGit({ home })
  const mirrors = createMirrors({ dir: join(root, 'mirrors'), git })
  const publisher = createPublisher({ git, home })
  return { root, repo, head, home, git, mirrors, publisher, at: (name: string) => join(root, name) }
}

export type Place = Awaited<ReturnType<typeof newPlace>>

/** What a run would leave: a clone of the base with commits on top, and a bundle of them. */
export async function newResult(place: Place, name: string, work: (clone: string) => Promise<unknown>) {
  const clone = place.at(name)
  await plainGit(place.root, 'clone', '--quiet', place.repo, clone)
  const base = await plainGit(clone, 'rev-parse', 'HEAD')
  await work(clone)
  const commit = await plainGit(clone, 'rev-parse', 'HEAD')
  const bundle = place.at(`${name}.bundle`)
  await plainGit(clone, 'bundle', 'create', '--quiet', bundle, 'HEAD', `^${base}`)
  return { clone, base, commit, bundle }
}
