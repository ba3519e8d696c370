import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises'
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
  const { git, commit, branch, into, signal } = options
  const step = { cwd: into, timeoutMs: checkoutLimitMs, signal }
  const objects = join(into, '.git', 'objects')
  const borrowed = join(objects, 'info', 'alternates')
  await git.run(['init', '--quiet', `--initial-branch=${branch}`, into], { ...step, cwd: dirname(into) })
  await appendFile(join(into, '.git', 'config'), identity(options.author))
  await mkdir(dirname(borrowed), { recursive: true })
  await writeFile(borrowed, `${join(options.mirror, 'objects')}\n`)
  const pack = ['pack-objects', '--quiet', '--all', '--delta-base-offset', join(objects, 'pack', 'pack')]
  const done = await git.attempt(['update-ref', `refs/heads/${branch}`, commit], step)
  const both =
    done.code === 0 ? [git.attempt(['reset', '--quiet', '--hard'], step), git.attempt(pack, step)] : []
  const failed = [done, ...(await Promise.all(both))].find(({ code }) => code !== 0)
  await rm(failed === undefined ? borrowed : into, { recursive: true, force: true })
  if (failed === undefined) return
  throw new GitError('checkout_failed', `The commit ${commit} could not be checked out.`, failed)
}

function identity({ name, email }: { name: string; email: string }): string {
  return `[user]\n\tname = ${quoted(name)}\n\temail = ${quoted(email)}\n`
}

/** A name with a line break or a quote must not become a line of configuration. */
function quoted(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is removed
  return `"${value.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/[\\"]/g, '\\$&')}"`
}
