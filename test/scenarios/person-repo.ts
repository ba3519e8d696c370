import { createHash } from 'node:crypto'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'

const hookNames = [
  'pre-commit',
  'post-commit',
  'post-checkout',
  'pre-push',
  'pre-receive',
  'update',
  'post-receive',
  'post-update',
  'reference-transaction',
  'post-index-change',
  'push-to-checkout',
  'proc-receive',
]

export type PersonRepo = GitRepo & {
  /** Everything a person would notice, by name. Two are compared before and after a task. */
  state(): Promise<Record<string, string>>
  /** Names of the hooks that ran since the last time this was asked. */
  hooksThatRan(): Promise<string[]>
}

/**
 * A repository as people have them: on a branch of its own, with a staged, a changed and an untracked file, and with
 * hooks that leave a trace beside the repository when anything makes them run.
 */
export async function personRepo(files: Record<string, string>): Promise<PersonRepo> {
  const repo = await gitRepo({ ...files, 'notes.txt': 'one\n', 'plan.txt': 'one\n' })
  const trace = join(repo.path, '..', 'hooks-that-ran')
  await repo.git('branch', 'side')
  await repo.git('tag', 'v1')
  for (const name of hookNames) {
    const path = join(repo.path, '.git/hooks', name)
    await writeFile(path, `#!/bin/sh\necho ${name} >> '${trace}'\n`)
    await chmod(path, 0o755)
  }
  await chmod(join(repo.path, '..'), 0o777)
  await writeFile(join(repo.path, 'notes.txt'), 'one\ntwo\n')
  await writeFile(join(repo.path, 'plan.txt'), 'one\nstaged\n')
  await repo.git('add', 'plan.txt')
  await writeFile(join(repo.path, 'untracked.txt'), 'mine\n')
  const hooksThatRan = async () => {
    const ran = await readFile(trace, 'utf8').catch(() => '')
    await writeFile(trace, '')
    await chmod(trace, 0o666)
    return [...new Set(ran.split('\n').filter((line) => line !== ''))]
  }
  // The making of it ran some already, which shows that they do run.
  await hooksThatRan()
  return { ...repo, state: () => stateOf(repo), hooksThatRan }
}

async function stateOf(repo: GitRepo): Promise<Record<string, string>> {
  const inGit = (name: string) => readFile(join(repo.path, '.git', name)).then(hashOf, () => 'none')
  const refs = await repo.git('for-each-ref', '--format=%(refname) %(objectname) %(symref)')
  const ours = /^refs\/heads\/muster(-failed)?\//
  return {
    head: await readFile(join(repo.path, '.git/HEAD'), 'utf8'),
    // The file and not what git makes of it: a refreshed index is a changed one.
    index: await inGit('index'),
    config: await readFile(join(repo.path, '.git/config'), 'utf8'),
    refs: refs
      .split('\n')
      .filter((line) => !ours.test(line))
      .join('\n'),
    reflog: await inGit('logs/HEAD'),
    hooks: (await readdir(join(repo.path, '.git/hooks'))).join(' '),
    inGitDirectory: (await readdir(join(repo.path, '.git'))).filter((name) => name !== 'logs').join(' '),
    workTree: await treeOf(repo.path),
    status: await repo.git('--no-optional-locks', 'status', '--porcelain=v2', '--branch', '--ignored'),
  }
}

async function treeOf(root: string): Promise<string> {
  const names = (await readdir(root, { recursive: true })).filter((name) => !/^\.git(\/|$)/.test(name))
  const lines = await Promise.all(
    names.toSorted().map(async (name) => {
      const { mode, mtimeMs, uid, gid } = await stat(join(root, name))
      const content = await readFile(join(root, name)).then(hashOf, () => 'folder')
      return `${name} ${mode} ${uid} ${gid} ${mtimeMs} ${content}`
    }),
  )
  return lines.join('\n')
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
