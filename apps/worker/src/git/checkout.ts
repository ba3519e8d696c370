import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GitError } from './git-error.ts'
import type { Git } from './git.ts'

export type CheckoutOptions = {
  git: Git
  /** Path of the bare mirror. */
  mirror: string
  commit: string
  /** The local branch the work tree is on. */
  branch: string
  /** A directory that does not exist yet, or is empty. */
  into: string
  author: { name: string; email: string }
  signal?: AbortSignal | undefined
}

/** A first clone may take 300 s over the network; the same history over a pipe on one disk needs far less. */
const checkoutLimitMs = 120_000

/**
 * A repository of its own: no remote, no alternates and no files shared with the mirror, because the wall's user will
 * own and may wreck every file of it. It holds the whole history of `commit` and nothing else: not the other
 * branches, and not the results of other runs, which lie in the same mirror.
 *
 * It borrows the mirror's objects just long enough to pack its own. With 3 000 commits and 2 000 files on two busy cores
 * (2026-11-21) that took 0.2 to 0.4 s; `init` and `fetch file://`, a `--no-local` clone and a bundle took 0.5 to 0.9 s,
 * because the receiving side indexes again what the mirror has checked already.
 */
export async function checkout(options: CheckoutOptions): Promise<void> {
  const { git, commit, into, signal } = options
  const step = { cwd: into, timeoutMs: checkoutLimitMs, signal }
  await layOut(options)
  const objects = join(into, '.git', 'objects')
  const pack = ['pack-objects', '--quiet', '--all', '--delta-base-offset', join(objects, 'pack', 'pack')]
  const both = [git.attempt(['reset', '--quiet', '--hard'], step), git.attempt(pack, step)]
  const failed = (await Promise.all(both)).find(({ code }) => code !== 0)
  await rm(failed === undefined ? borrowed(into) : into, { recursive: true, force: true })
  if (failed === undefined) return
  throw new GitError('checkout_failed', `The commit ${commit} could not be checked out.`, failed)
}

const borrowed = (into: string) => join(into, '.git', 'objects', 'info', 'alternates')

/**
 * What `git init` and `git update-ref` would write, without two programs to start for each checkout. It is the layout
 * that git documents for repositories of version 0 and reads for ever. The name becomes a path here, so it is checked
 * here, too.
 */
async function layOut({ mirror, commit, branch, into, author }: CheckoutOptions): Promise<void> {
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
  await writeFile(borrowed(into), `${join(mirror, 'objects')}\n`)
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
