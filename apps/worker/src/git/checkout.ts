import { appendFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
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
 * Fetching over file:// goes through git's own pack protocol, which is what keeps unrelated objects out; a local
 * clone would copy or link them all.
 */
export async function checkout(options: CheckoutOptions): Promise<void> {
  const { git, mirror, commit, branch, into, author, signal } = options
  const step = { cwd: into, timeoutMs: checkoutLimitMs, signal }
  await git.run(['init', '--quiet', `--initial-branch=${branch}`, into], { ...step, cwd: dirname(into) })
  await appendFile(join(into, '.git', 'config'), identity(author))
  const fetch = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--update-head-ok']
  const refspec = `${commit}:refs/heads/${branch}`
  const fetched = await git.attempt([...fetch, pathToFileURL(mirror).href, refspec], step)
  const placed = fetched.code === 0 ? await git.attempt(['reset', '--quiet', '--hard'], step) : fetched
  if (placed.code === 0) return
  await rm(into, { recursive: true, force: true })
  throw new GitError('checkout_failed', `The commit ${commit} could not be checked out.`, {
    stderr: placed.stderr,
  })
}

function identity({ name, email }: { name: string; email: string }): string {
  return `[user]\n\tname = ${quoted(name)}\n\temail = ${quoted(email)}\n`
}

/** A name with a line break or a quote must not become a line of configuration. */
function quoted(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is removed
  return `"${value.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/[\\"]/g, '\\$&')}"`
}
