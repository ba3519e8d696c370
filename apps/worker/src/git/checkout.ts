import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { GitError } from './git-error.ts'
import type { Git } from './git.ts'
import { putHistory } from './history.ts'

export type CheckoutOptions = {
  git: Git
  /** Path of the bare mirror. */
  mirror: string
  commit: string
  /** When the commit is the result of a run: what it stands on, and the files that hold what came on top. */
  result?: { base: string; packs: readonly string[] }
  /** The local branch the work tree is on. */
  branch: string
  /** A directory that does not exist yet, or is empty. */
  into: string
  author: { name: string; email: string }
  signal?: AbortSignal | undefined
}

const checkoutLimitMs = 120_000

/**
 * A repository of its own: no remote, no alternates and no files shared with the mirror, because the wall's user will
 * own and may wreck every file of it. It holds the whole history of `commit` and nothing else: not the other
 * branches, and not the results of other runs, which lie in the same mirror.
 *
 * The history comes as packs and not through git's own transport: with 3 000 commits and 2 000 files on two busy cores
 * (2026-11-21) packing it took 0.2 to 0.4 s and copying a pack a few milliseconds; `init` and `fetch file://`, a
 * `--no-local` clone and a bundle took 0.5 to 0.9 s, because the receiving side indexes again what the mirror has
 * checked already.
 */
export async function checkout(options: CheckoutOptions): Promise<void> {
  const { git, mirror, commit, result, into, signal } = options
  await layOut(options)
  try {
    const packs = join(into, '.git', 'objects', 'pack')
    await putHistory(git, { mirror, commit: result?.base ?? commit, signal }, packs)
    for (const path of result?.packs ?? []) await copyFile(path, join(packs, basename(path)))
    await git.run(['reset', '--quiet', '--hard'], { cwd: into, timeoutMs: checkoutLimitMs, signal })
  } catch (error) {
    await rm(into, { recursive: true, force: true })
    if (!(error instanceof GitError) || error.code !== 'git_failed') throw error
    throw new GitError('checkout_failed', `The commit ${commit} could not be checked out.`, error)
  }
}

/**
 * What `git init` and `git update-ref` would write, without two programs to start for each checkout. It is the layout
 * that git documents for repositories of version 0 and reads for ever. The name becomes a path here, so it is checked
 * here, too.
 */
async function layOut({ commit, branch, into, author }: CheckoutOptions): Promise<void> {
  if (!branch.split('/').every((part) => /^\w([\w.-]*[\w-])?$/.test(part) && !/\.\.|\.lock$/.test(part)))
    throw new GitError('checkout_failed', `${JSON.stringify(branch)} cannot name a branch.`)
  const own = join(into, '.git')
  const ref = join(own, 'refs', 'heads', branch)
  for (const dir of [
    join(own, 'objects', 'pack'),
    join(own, 'objects', 'info'),
    join(own, 'refs', 'tags'),
    dirname(ref),
  ])
    await mkdir(dir, { recursive: true })
  await writeFile(join(own, 'config'), `${settings}${identity(author)}`)
  await writeFile(join(own, 'HEAD'), `ref: refs/heads/${branch}\n`)
  await writeFile(ref, `${commit}\n`)
}

const settings = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
`

function identity({ name, email }: { name: string; email: string }): string {
  return `[user]\n\tname = ${quoted(name)}\n\temail = ${quoted(email)}\n`
}

/** A name with a line break or a quote must not become a line of configuration. */
function quoted(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is removed
  return `"${value.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/[\\"]/g, '\\$&')}"`
}
