import { createHash } from 'node:crypto'
import { chmod, chown, lstat, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from './missing-file.ts'
import { PostgresError } from './postgres-error.ts'
import { requireReachable, type ServerUser } from './server-user.ts'

// Only a number in the socket's file name: the folder is private to one cluster and no TCP port is taken.
export const socketPort = 5432

// sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
const longestSocketPath = process.platform === 'darwin' ? 103 : 107

/** The same for the same directory, so that a later owner finds the server that it adopts. */
export function socketDirectoryFor(dir: string, parent: string): string {
  return join(parent, `muster-pg-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`)
}

/**
 * The socket lives outside the data directory because its path has to be short. The name can be foretold, so whoever
 * made it first has to be checked: in a folder of somebody else's, they could listen in the server's place.
 */
export async function prepareSocketDirectory(dir: string, parent: string, user: ServerUser): Promise<string> {
  const socketDir = socketDirectoryFor(dir, parent)
  const longest = join(socketDir, `.s.PGSQL.${socketPort}`)
  if (Buffer.byteLength(longest) > longestSocketPath) {
    throw new PostgresError(
      'socket_path_too_long',
      `the socket path ${longest} is longer than the ${longestSocketPath} bytes the system allows`,
      'Choose a shorter folder for the socket, such as /tmp.',
    )
  }
  await requireReachable(parent, user)
  await mkdir(parent, { recursive: true })
  try {
    await mkdir(socketDir, { mode: 0o700 })
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
  await secure(socketDir, user)
  return socketDir
}

async function secure(socketDir: string, user: ServerUser): Promise<void> {
  const info = await lstat(socketDir)
  // Owned by ourselves as well: a crash between mkdir and chown leaves it so.
  const ours = info.uid === user.uid || info.uid === process.getuid?.()
  if (!info.isDirectory() || !ours) {
    throw new PostgresError(
      'socket_directory_taken',
      `${socketDir} should be a folder of uid ${user.uid} but ${info.isDirectory() ? `belongs to uid ${info.uid}` : 'is none'}`,
      `Find out who made it; then remove ${socketDir} and start again.`,
    )
  }
  if (info.uid !== user.uid) await chown(socketDir, user.uid, user.gid)
  await chmod(socketDir, 0o700)
}

/** Only while no server of this cluster lives. PostgreSQL would refuse if the old pid is meanwhile somebody else's. */
export async function removeStaleSockets(socketDir: string): Promise<void> {
  for (const name of await readdir(socketDir)) {
    if (name.startsWith('.s.PGSQL.')) await rm(join(socketDir, name), { force: true })
  }
}
