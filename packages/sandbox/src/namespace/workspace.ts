import { lchown, realpath, stat } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { isAbsolute, relative } from 'node:path'
import { SandboxError } from '../sandbox.ts'
import { firstClosed } from './reach.ts'
import { countBlocks, walkTree } from './tree.ts'

/**
 * Makes a directory the wall's own: refuses what is not only the run's, then gives it to the wall's user.
 * Answers with the real path and what it holds.
 */
export async function takeWorkspace(
  workspace: string,
  uid: number | undefined,
  stateDir: string,
): Promise<{ path: string; bytes: number }> {
  if (!isAbsolute(workspace)) {
    throw new SandboxError(
      'sandbox_bad_request',
      `the workspace must be an absolute path, not "${workspace}"`,
    )
  }
  const path = await realDirectory(workspace)
  refuseImportant(path, stateDir)
  await refuseUnreachable(path, uid)
  const bytes = await refuseShared(path)
  if (uid !== undefined) {
    for await (const entry of walkTree(path)) {
      if (entry.stats.uid !== uid || entry.stats.gid !== uid) await lchown(entry.path, uid, uid)
    }
  }
  return { path, bytes }
}

async function realDirectory(workspace: string): Promise<string> {
  const found = await realpath(workspace).catch((error: NodeJS.ErrnoException) => {
    throw new SandboxError(
      'sandbox_workspace_unreachable',
      `no workspace at ${workspace}: ${error.code ?? error}`,
    )
  })
  if (!(await stat(found)).isDirectory()) {
    throw new SandboxError('sandbox_workspace_unreachable', `the workspace ${workspace} is not a directory`)
  }
  return found
}

/** It is about to be chowned and written to by a model: a wrong setting must not cost the machine. */
function refuseImportant(path: string, stateDir: string): void {
  const kept = [
    '/usr',
    '/etc',
    '/var/lib',
    '/boot',
    '/proc',
    '/sys',
    '/dev',
    homedir(),
    tmpdir(),
    stateDir,
    process.execPath,
  ]
  const inside = kept.find((one) => {
    const way = relative(path, one)
    return !way.startsWith('..')
  })
  if (inside === undefined && !/^\/(usr|etc|boot|proc|sys|dev)\//.test(path)) return
  throw new SandboxError(
    'sandbox_workspace_refused',
    `${path} cannot be a workspace: it is or holds ${inside ?? 'a part of the system'}`,
    'Give each run a directory of its own.',
  )
}

export async function refuseUnreachable(path: string, uid: number | undefined): Promise<void> {
  const closed = await firstClosed(path, uid)
  if (closed === undefined) return
  const who = uid === undefined ? 'this user' : `the wall's unprivileged user (${uid})`
  throw new SandboxError(
    'sandbox_workspace_unreachable',
    `${who} cannot reach ${path}: ${closed} is closed to it`,
    `Run "chmod o+x ${closed}", or put the directory where every ancestor lets others pass, such as below /var/lib.`,
  )
}

/**
 * A file with another name outside (git clone of a local path makes such links) would be written, and chowned, there
 * too; a mount below would come in with it. Both are refused before anything is changed.
 */
async function refuseShared(path: string): Promise<number> {
  const { dev } = await stat(path)
  const names = new Map<number, { path: string; missing: number }>()
  const count = countBlocks()
  for await (const entry of walkTree(path)) {
    const { stats } = entry
    if (stats.dev !== dev) {
      throw new SandboxError(
        'sandbox_workspace_refused',
        `${entry.path} is another filesystem mounted in the workspace`,
      )
    }
    count.add(stats)
    if (stats.isDirectory() || stats.nlink < 2) continue
    const { missing } = names.get(stats.ino) ?? { missing: stats.nlink }
    names.set(stats.ino, { path: entry.path, missing: missing - 1 })
  }
  const shared = [...names.values()].find(({ missing }) => missing > 0)
  if (shared === undefined) return count.bytes()
  throw new SandboxError(
    'sandbox_workspace_refused',
    `${shared.path} is hard-linked to a file outside the workspace, which the wall could then write`,
    'Copy instead of linking: git clone --no-hardlinks, cp without -l.',
  )
}
