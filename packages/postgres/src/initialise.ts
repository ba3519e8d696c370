import { randomBytes } from 'node:crypto'
import { chown, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Binaries } from './binaries.ts'
import { ifPresent } from './missing-file.ts'
import { PostgresError } from './postgres-error.ts'
import { runToEnd } from './server-program.ts'
import type { ServerUser } from './server-user.ts'

export const superuser = 'postgres'

// macOS has no C.UTF-8 in its C library.
const locale = process.platform === 'darwin' ? 'C' : 'C.UTF-8'

/**
 * Makes the data directory unless it is there. initdb works in `data.new` and flushes it to disk; the rename to `data`
 * is what says that it finished. So a crash leaves only a `data.new`, and nothing called `data` is ever removed by us.
 */
export async function ensureInitialised(dir: string, binaries: Binaries, user: ServerUser): Promise<void> {
  const data = join(dir, 'data')
  const draft = join(dir, 'data.new')
  const found = await ifPresent(readdir(data))
  if (found !== undefined && found.length > 0) return requireUsable(data, found)
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { mode: 0o700 })
  await chown(draft, user.uid, user.gid)
  await runInitdb(dir, draft, binaries, user)
  await rename(draft, data)
  await flush(dir)
}

async function requireUsable(data: string, found: string[]): Promise<void> {
  const owner = (await stat(data)).uid
  if (found.includes('PG_VERSION') && owner !== 0) return
  throw new PostgresError(
    'data_directory_invalid',
    owner === 0
      ? `${data} belongs to root, and PostgreSQL refuses to run as root`
      : `${data} is not empty and not a PostgreSQL data directory`,
    owner === 0
      ? `Give it to the user who owned it before: chown -R USER '${data}'`
      : `Move ${data} away, or choose another place.`,
  )
}

async function runInitdb(dir: string, draft: string, binaries: Binaries, user: ServerUser): Promise<void> {
  const passwordFile = join(dir, 'password.new')
  await writeDurably(passwordFile, await ensurePassword(dir))
  await chown(passwordFile, user.uid, user.gid)
  const args = [
    `--pgdata=${draft}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=libc',
    `--locale=${locale}`,
    '--data-checksums',
  ]
  const { code, output } = await runToEnd(binaries.initdb, args, user, 120_000)
  await rm(passwordFile)
  if (code === 0) return
  await rm(draft, { recursive: true, force: true })
  throw new PostgresError(
    'initdb_failed',
    `initdb ended with ${code ?? 'a signal'}: ${output.trim().slice(-2000)}`,
    `Check the free space and the rights of ${dir}.`,
  )
}

/** The password is on disk before the cluster that it opens exists, so no crash can leave a cluster nobody can open. */
async function ensurePassword(dir: string): Promise<string> {
  const path = join(dir, 'password')
  const present = await ifPresent(readFile(path, 'utf8'))
  if (present) return present
  const password = randomBytes(32).toString('base64url')
  await writeDurably(`${path}.draft`, password)
  await rename(`${path}.draft`, path)
  await flush(dir)
  return password
}

export async function readPassword(dir: string): Promise<string> {
  const password = await ifPresent(readFile(join(dir, 'password'), 'utf8'))
  if (password) return password.trim()
  throw new PostgresError(
    'password_missing',
    `${dir} holds a database but not the file "password" that opens it`,
    'Put the file back from your backup.',
  )
}

async function writeDurably(path: string, text: string): Promise<void> {
  await rm(path, { force: true })
  const file = await open(path, 'wx', 0o600)
  await file.writeFile(text)
  await file.sync()
  await file.close()
}

async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync()
  await handle.close()
}
