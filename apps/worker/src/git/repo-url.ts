import { realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GitError } from './git-error.ts'

/** Where a person's repository is. A local one has a path, and an owner whose rights git takes on. */
export type RepoAddress = { kind: 'local'; path: string } | { kind: 'remote'; url: string }

/**
 * Only these forms reach git: an absolute path, `file://`, `https://`, `ssh://` and `user@host:path`.
 * Everything else is refused by not being listed: `ext::` runs a command, a leading `-` is an option, and plain
 * http would carry tokens in the clear.
 */
export function parseRepoUrl(url: string): RepoAddress {
  const refuse = (why: string) =>
    new GitError('repo_url_refused', `The repository address ${JSON.stringify(url)} is refused: ${why}.`, {
      hint: 'Use an absolute path, file:///path, https://host/path, ssh://user@host/path or user@host:path.',
    })
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  if (/[\u0000-\u001f\u007f]/.test(url)) throw refuse('it contains control characters')
  if (url.startsWith('-')) throw refuse('it starts with "-"')
  if (isAbsolute(url)) return { kind: 'local', path: url }
  if (/^file:\/\/\//i.test(url)) return { kind: 'local', path: fileURLToPath(url) }
  if (/^(https|ssh):\/\//i.test(url)) {
    const parsed = URL.parse(url)
    if (parsed === null || parsed.hostname === '') throw refuse('it names no host')
    if (parsed.hostname.startsWith('-') || parsed.username.startsWith('-'))
      throw refuse('the host starts with "-"')
    return { kind: 'remote', url }
  }
  if (/^\w[\w.-]*@\w[\w.-]*:(?!:)[^-]/.test(url)) return { kind: 'remote', url }
  throw refuse('its form is not one of those that are allowed')
}

/** What git is given as the repository. */
export function gitAddress(address: RepoAddress): string {
  return address.kind === 'local' ? address.path : address.url
}

/**
 * Whom the other side of a local transfer runs as, when it is not us: root must neither leave files of its own in a
 * person's repository nor lend its rights to follow that repository's alternates.
 */
export async function ownerOf(address: RepoAddress): Promise<{ uid: number; gid: number } | undefined> {
  if (address.kind === 'remote' || process.getuid?.() !== 0) return undefined
  const inside = await stat(join(address.path, '.git')).catch(() => undefined)
  const { uid, gid } = inside ?? (await stat(address.path))
  return uid !== 0 && (await canReach(address.path, uid, gid)) ? { uid, gid } : undefined
}

/** Our own configuration file is not readable to that person; owning the repository, they need no safe.directory. */
export const ownerEnv = { GIT_CONFIG_GLOBAL: '/dev/null', HOME: '/' }

/** The prefix of a program that git starts. Git passes it to a shell; it is made of numbers and fixed words only. */
export async function asOwner(address: RepoAddress): Promise<string> {
  const owner = await ownerOf(address)
  if (owner === undefined) return ''
  const env = Object.entries(ownerEnv).map(([name, value]) => `${name}=${value} `)
  return `setpriv --reuid ${owner.uid} --regid ${owner.gid} --clear-groups env ${env.join('')}`
}

/** An owner who is kept out by a folder above (a repository given away inside root's home) cannot be acted for. */
async function canReach(path: string, uid: number, gid: number): Promise<boolean> {
  for (let folder = await realpath(path); ; folder = dirname(folder)) {
    const found = await stat(folder)
    const shift = found.uid === uid ? 6 : found.gid === gid ? 3 : 0
    if (((found.mode >> shift) & 1) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

export async function checkLocal(address: RepoAddress) {
  if (address.kind === 'remote') return
  const found = await stat(address.path).catch(() => undefined)
  if (found === undefined) {
    throw new GitError('repo_not_found', `There is no repository at ${address.path}.`, {
      hint: 'Check the path; it must be readable on the machine the worker runs on.',
    })
  }
  if (!found.isDirectory()) throw notGit(address.path)
}

export function notGit(where: string, stderr = ''): GitError {
  return new GitError('repo_not_git', `${where} is not a git repository.`, {
    hint: 'Run "git init" and commit there once, or give the address of a repository.',
    stderr,
  })
}
