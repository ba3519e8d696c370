import { execFile } from 'node:child_process'
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { ifPresent } from './missing-file.ts'
import { PostgresError } from './postgres-error.ts'

/** The uid and gid that initdb and postgres run with. PostgreSQL refuses to run as root. */
export interface ServerUser {
  uid: number
  gid: number
}

const run = promisify(execFile)

/** An ordinary user runs the server as themself; root hands it to the data's owner or to a system user. */
export async function chooseServerUser(dataDir: string): Promise<ServerUser> {
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  if (self.uid !== 0) return self
  const data = await ifPresent(stat(dataDir))
  if (data !== undefined && data.uid !== 0) return { uid: data.uid, gid: data.gid }
  return (
    (await systemUser('muster')) ??
    (await systemUser('postgres')) ??
    (await createSystemUser('muster')) ??
    (await systemUser('nobody')) ?? { uid: 65_534, gid: 65_534 }
  )
}

async function systemUser(name: string): Promise<ServerUser | undefined> {
  try {
    const uid = Number((await run('id', ['-u', name])).stdout)
    const gid = Number((await run('id', ['-g', name])).stdout)
    return uid === 0 ? undefined : { uid, gid }
  } catch {
    return undefined
  }
}

async function createSystemUser(name: string): Promise<ServerUser | undefined> {
  const options = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent']
  try {
    await run('useradd', [...options, '--shell', '/usr/sbin/nologin', name], { timeout: 10_000 })
  } catch {
    // No useradd, or a read-only /etc: `nobody` is the next choice.
    return undefined
  }
  return systemUser(name)
}

/** The first folder on the way to `path` that the server's user may not pass, or undefined. What is missing is passed. */
export async function blockedAncestor(path: string, user: ServerUser): Promise<string | undefined> {
  const chain = ancestors((await ifPresent(realpath(path))) ?? path)
  for (const folder of chain) {
    const info = await ifPresent(stat(folder))
    if (info === undefined) return undefined
    const bit = info.uid === user.uid ? 0o100 : info.gid === user.gid ? 0o010 : 0o001
    if ((info.mode & bit) === 0) return folder
  }
  return undefined
}

export async function requireReachable(path: string, user: ServerUser): Promise<void> {
  const blocked = await blockedAncestor(path, user)
  if (blocked === undefined) return
  throw new PostgresError(
    'data_directory_unreachable',
    `the database server runs as uid ${user.uid}, which may not pass ${blocked} on the way to ${path}`,
    `Choose a data directory outside ${blocked}, such as /var/lib/muster, or run: chmod o+x '${blocked}'`,
  )
}

function ancestors(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [path] : [...ancestors(parent), path]
}
