import { GitError } from './git-error.ts'
import { lastLine, type Git, type GitResult } from './git.ts'
import { asOwner, checkLocal, gitAddress, notGit, type RepoAddress } from './repo-url.ts'

export type RemoteRefs = { head: string | null; branches: Map<string, string> }

/** Asking a host that answers takes well under a second; half a minute is a network that does not work. */
const listLimitMs = 30_000

/** The branches of a person's repository as they are now, or the reason why they cannot be read. */
export async function readRemote(
  git: Git,
  address: RepoAddress,
  { cwd, signal }: { cwd: string; signal?: AbortSignal | undefined },
): Promise<RemoteRefs> {
  await checkLocal(address)
  const uploadPack = `--upload-pack=${await asOwner(address)}git-upload-pack`
  const args = ['ls-remote', '--symref', uploadPack, '--', gitAddress(address), 'HEAD', 'refs/heads/*']
  const result = await git.attempt(args, { cwd, timeoutMs: listLimitMs, signal }).catch((error: unknown) => {
    throw error instanceof GitError && error.code === 'git_timed_out'
      ? unreachable(address, error.stderr)
      : error
  })
  if (result.code !== 0) throw explain(address, result)
  return parseRefs(result.stdout)
}

export function parseRefs(listing: string): RemoteRefs {
  const refs: RemoteRefs = { head: null, branches: new Map() }
  for (const line of listing.split('\n')) {
    const [value = '', name = ''] = line.split('\t')
    if (name === 'HEAD' && value.startsWith('ref: refs/heads/'))
      refs.head = value.slice('ref: refs/heads/'.length)
    else if (name.startsWith('refs/heads/')) refs.branches.set(name.slice('refs/heads/'.length), value)
  }
  return refs
}

/** A detached HEAD, or one that points at a branch not born yet, names no branch: then only the unambiguous ones do. */
export function chooseBase(
  refs: RemoteRefs,
  where: string,
  wanted?: string,
): { branch: string; commit: string } {
  if (refs.branches.size === 0) {
    throw new GitError('repo_empty', `The repository ${where} has no commit yet.`, {
      hint: 'Make a first commit there; work always starts from one.',
    })
  }
  const only = refs.branches.size === 1 ? [...refs.branches.keys()] : []
  const names = wanted === undefined ? [refs.head, 'main', 'master', ...only] : [wanted]
  for (const branch of names) {
    const commit = branch === null ? undefined : refs.branches.get(branch)
    if (branch !== null && commit !== undefined) return { branch, commit }
  }
  throw new GitError(
    'repo_no_default_branch',
    `The repository ${where} has no branch ${wanted ?? 'that HEAD names'}.`,
    {
      hint: 'Check out a branch there, or name the branch that work should start from.',
    },
  )
}

function explain(address: RepoAddress, result: GitResult): GitError {
  const where = gitAddress(address)
  const said = result.stderr
  if (/could not read Username|Authentication failed|Permission denied|\b40[13]\b/i.test(said)) {
    return new GitError('repo_unreachable', `The repository ${where} did not let the worker in.`, {
      hint: 'Give the worker an SSH key without a passphrase prompt; git credential helpers are not used.',
      stderr: said,
    })
  }
  if (address.kind === 'remote' && /not found|\b404\b|does not exist|no such repository/i.test(said)) {
    return new GitError('repo_not_found', `There is no repository at ${where}.`, { stderr: said })
  }
  if (/does not appear to be a git repository|not a git repository/i.test(said)) return notGit(where, said)
  return unreachable(address, said)
}

function unreachable(address: RepoAddress, stderr: string): GitError {
  return new GitError(
    'repo_unreachable',
    `The repository ${gitAddress(address)} cannot be read: ${lastLine(stderr)}`,
    {
      hint: 'Check that the address is right and that this machine can reach it.',
      stderr,
    },
  )
}
