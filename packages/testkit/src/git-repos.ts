import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

export interface GitRepo {
  path: string
  /** The commit that the builder made; `commit` answers later ones. */
  head: string
  /** Answers what git printed, without the last line end. */
  git(...args: string[]): Promise<string>
  /** Writes files, an executable one where the content starts with `#!`, and commits everything that changed. */
  commit(files: Record<string, string>, message: string): Promise<string>
  remove(): Promise<void>
}

const run = promisify(execFile)

/** A real local repository, the same on every machine: nobody's configuration, a fixed author and fixed dates. */
export async function gitRepo(
  files: Record<string, string>,
  options: { branch?: string; bare?: boolean } = {},
): Promise<GitRepo> {
  const { branch = 'main', bare = false } = options
  const root = await mkdtemp(join(tmpdir(), 'muster-git-'))
  const path = join(root, bare ? 'repo.git' : 'repo')
  // A bare repository has no files to change, so its commits are made in a clone beside it.
  const work = bare ? join(root, 'work') : path
  await mkdir(path)
  await git(path, 'init', '--quiet', `--initial-branch=${branch}`, ...(bare ? ['--bare'] : []))
  if (bare) {
    await git(root, 'clone', '--quiet', path, work)
    await git(work, 'checkout', '--quiet', '-B', branch)
  }
  const commit = async (changes: Record<string, string>, message: string) => {
    await writeFiles(work, changes)
    await git(work, 'add', '--all')
    await git(work, 'commit', '--quiet', '--allow-empty', `--message=${message}`)
    if (bare) await git(work, 'push', '--quiet', 'origin', `HEAD:${branch}`)
    return git(work, 'rev-parse', 'HEAD')
  }
  return {
    path,
    head: await commit(files, 'Start'),
    git: (...args) => git(path, ...args),
    commit,
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

async function git(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', args, {
    cwd,
    env: gitEnvironment,
    timeout: 30_000,
    maxBuffer: 64 * 1024 * 1024,
  })
  return stdout.replace(/\n$/, '')
}

const date = '2026-01-02T03:04:05Z'

/** GIT_DIR and the like, as a test run started by a git hook has them, must not lead commands elsewhere: not inherited. */
const gitEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Test Author',
  GIT_AUTHOR_EMAIL: 'author@example.org',
  GIT_AUTHOR_DATE: date,
  GIT_COMMITTER_NAME: 'Test Author',
  GIT_COMMITTER_EMAIL: 'author@example.org',
  GIT_COMMITTER_DATE: date,
}

async function writeFiles(root: string, files: Record<string, string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
    if (content.startsWith('#!')) await chmod(path, 0o755)
  }
}
