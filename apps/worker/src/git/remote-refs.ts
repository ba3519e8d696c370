import { GitError } from './git-error.ts'
import { lastLine, type Git, type GitResult } from './git.ts'
import { checkLocal, gitAddress, notGit, ownerEnv, ownerOf, type RepoAddress } from './repo-url.ts'

export type RemoteRefs = { head: string | null; branches: Map<string, string>; tags: Map<string, string> }

/** Asking a host that answers takes well under a second; half a minute is a network that does not work. */
const listLimitMs = 30_000

/** The branches and tags of a person's repository as they are now, or the reason why they cannot be read. */
export async function readRemote(
  git: Git,
  address: RepoAddress,
  { cwd, signal }: { cwd: string; signal?: AbortSignal | undefined },
): Promise<RemoteRefs> {
  await checkLocal(address)
  const step = { cwd, timeoutMs: listLimitMs, signal }
  const ask = address.kind === 'local' ? askHere : askThere
  const asked = await ask(git, address, step).catch((error: unknown) => {
    throw error instanceof GitError && error.code === 'git_timed_out'
      ? unreachable(address, error.stderr)
      : error
  })
  if (asked.code !== 0) throw explain(address, asked)
  return address.kind === 'local' ? parseAdvertised(asked.stdout) : parseListed(asked.stdout)
}

type Step = { cwd: string; timeoutMs: number; signal?: AbortSignal | undefined }

function askThere(git: Git, address: RepoAddress, step: Step): Promise<GitResult> {
  const patterns = ['HEAD', 'refs/heads/*', 'refs/tags/*']
  return git.attempt(['ls-remote', '--symref', '--', gitAddress(address), ...patterns], step)
}

/** What ls-remote asks, without it and the shell that it starts: the program of the other side, as the owner. */
async function askHere(git: Git, address: RepoAddress, step: Step): Promise<GitResult> {
  const owner = await ownerOf(address)
  const as = owner === undefined ? {} : { ...owner, env: ownerEnv }
  return git.attempt(['upload-pack', '--advertise-refs', gitAddress(address)], { ...step, ...as })
}

export function parseListed(listing: string): RemoteRefs {
  const refs = noRefs()
  for (const line of listing.split('\n')) {
    const [value = '', name = ''] = line.split('\t')
    if (value.startsWith('ref: refs/heads/')) {
      if (name === 'HEAD') refs.head = value.slice('ref: refs/heads/'.length)
    } else put(refs, name, value)
  }
  return refs
}

/** Lines of git's first protocol: a length in four digits, the object, the name; behind the first what the server can. */
export function parseAdvertised(advertised: string): RemoteRefs {
  const refs = noRefs()
  for (const line of advertised.split('\n')) {
    const [, value = '', name = '', can] = /^[\da-f]{4}([\da-f]{40,64}) ([^\0]+)(?:\0(.*))?$/.exec(line) ?? []
    put(refs, name, value)
    refs.head ??= / symref=HEAD:refs\/heads\/(\S+)/.exec(can ?? '')?.[1] ?? null
  }
  return refs
}

function noRefs(): RemoteRefs {
  return { head: null, branches: new Map(), tags: new Map() }
}

/** `^{}` marks the object that a tag names, which is not a ref. */
function put(refs: RemoteRefs, name: string, value: string) {
  if (name.startsWith('refs/heads/')) refs.branches.set(name.slice('refs/heads/'.length), value)
  if (name.startsWith('refs/tags/') && !name.endsWith('^{}'))
    refs.tags.set(name.slice('refs/tags/'.length), value)
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
