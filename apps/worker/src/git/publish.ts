import { GitError } from './git-error.ts'
import { lastLine, type Git } from './git.ts'
import { readRemote } from './remote-refs.ts'
import { asOwner, gitAddress, parseRepoUrl, type RepoAddress } from './repo-url.ts'

export type Publisher = {
  /** The commit a branch of the person's repository points at, or null. */
  readBranch(repo: { url: string }, branch: string, signal?: AbortSignal): Promise<string | null>
  publish(repo: { url: string }, options: PublishOptions): Promise<'published' | 'moved'>
  /** Takes a branch away if it still points at `commit`; any other value stays. */
  withdraw(repo: { url: string }, options: { mirror: string; branch: string; commit: string }): Promise<void>
}

export type PublishOptions = {
  /** Path of the bare mirror that has the commit. */
  mirror: string
  branch: string
  commit: string
  /** What the branch must point at now; null: it must not exist. */
  expected: string | null
  signal?: AbortSignal | undefined
}

const pushLimitMs = 120_000
/** The branches that workers publish. */
export const ours = /^muster(-failed)?\/[^/]+\/[^/]+$/

/**
 * Puts a commit on one branch of the person's repository, by compare-and-swap, and changes nothing else there: no tags
 * follow, no collection of garbage starts, and in a local repository the person's hooks do not run, since they would
 * run on what an agent wrote. Doing it twice is the same as doing it once.
 *
 * The push itself compares. When it fails, the branch is read and its value decides: a push that lost its connection
 * after the other side had accepted it is a success, and so is one that had been done before.
 */
export function createPublisher({ git, home }: { git: Git; home: string }): Publisher {
  async function readBranch(repo: { url: string }, branch: string, signal?: AbortSignal) {
    const { branches } = await readRemote(git, parseRepoUrl(repo.url), { cwd: home, signal })
    return branches.get(branch) ?? null
  }

  async function publish(repo: { url: string }, options: PublishOptions) {
    const { branch, commit, expected, signal } = options
    if (!ours.test(branch)) throw notOurs(branch)
    const pushed = await push(parseRepoUrl(repo.url), options)
    if (pushed.code === 0) return 'published'
    const after = await readBranch(repo, branch, signal)
    if (after === commit) return 'published'
    if (after !== expected) return 'moved'
    throw explain(branch, `${pushed.stdout}\n${pushed.stderr}`)
  }

  async function withdraw(
    repo: { url: string },
    options: { mirror: string; branch: string; commit: string },
  ) {
    const { branch, commit } = options
    if (!ours.test(branch)) throw notOurs(branch)
    if ((await readBranch(repo, branch)) !== commit) return
    const pushed = await push(parseRepoUrl(repo.url), { ...options, expected: commit }, '')
    if (pushed.code === 0 || (await readBranch(repo, branch)) !== commit) return
    throw explain(branch, `${pushed.stdout}\n${pushed.stderr}`)
  }

  /** An empty `source` deletes the branch. */
  async function push(address: RepoAddress, options: PublishOptions, source = options.commit) {
    const { mirror, branch, expected, signal } = options
    const lease = `--force-with-lease=refs/heads/${branch}:${expected ?? ''}`
    const flags = [
      '--porcelain',
      '--no-verify',
      '--no-follow-tags',
      '--no-signed',
      '--recurse-submodules=no',
      lease,
    ]
    const receivePack = await receiver(address)
    const target = ['--', gitAddress(address), `${source}:refs/heads/${branch}`]
    return git.attempt(['push', ...flags, ...receivePack, ...target], {
      cwd: mirror,
      timeoutMs: pushLimitMs,
      signal,
    })
  }

  return { readBranch, publish, withdraw }
}

/** Over the network the other side decides for itself; on this machine we are the other side. */
async function receiver(address: RepoAddress): Promise<string[]> {
  if (address.kind === 'remote') return []
  const settings = [
    'core.hooksPath=/dev/null',
    // A command in the repository's configuration, which git runs while it holds apart what was pushed.
    'core.alternateRefsCommand=true',
    'receive.denyCurrentBranch=refuse',
    'receive.autogc=false',
    'gc.auto=0',
  ]
  const flags = settings.map((setting) => `-c ${setting}`).join(' ')
  return [`--receive-pack=${await asOwner(address)}git ${flags} receive-pack`]
}

function explain(branch: string, said: string): GitError {
  if (/branch is currently checked out/.test(said)) {
    return new GitError('branch_checked_out', `The branch ${branch} is checked out in the repository.`, {
      hint: 'Check out another branch there, then publish again; a work tree is never changed under a person.',
      stderr: said,
    })
  }
  const refused = /^!\t\S+\t(.*)$/m.exec(said)?.[1]
  return new GitError(
    'publish_refused',
    `The repository refused the branch ${branch}: ${refused ?? lastLine(said)}`,
    {
      hint: 'Check that the worker may write there, and that no branch has the name of one of its folders.',
      stderr: said,
    },
  )
}

function notOurs(branch: string): GitError {
  return new GitError('branch_refused', `Work is never put on ${branch}.`, {
    hint: 'Results go to muster/<agent>/<task>; a person or a merge brings them further.',
  })
}
