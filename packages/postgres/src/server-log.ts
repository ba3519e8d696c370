import { chmod, chown, mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServerUser } from './server-user.ts'

// The server starts a new file at 10 MB and at every start, but never removes one.
const keptFiles = 10

/**
 * Before its collector runs, the server's words go to this file; it is what explains a failed start. Not in the log
 * folder: that belongs to the server's user, who could put a link there for root to write through.
 */
function startLog(dir: string): string {
  return join(dir, 'start.log')
}

export async function prepareLogDirectory(logDir: string, user: ServerUser): Promise<void> {
  await mkdir(logDir, { recursive: true })
  await chown(logDir, user.uid, user.gid)
  await chmod(logDir, 0o700)
  await pruneLogs(logDir)
}

export async function openStartLog(dir: string) {
  return open(startLog(dir), 'w', 0o600)
}

/** The names carry the time, so their order is the order of time. */
export async function pruneLogs(logDir: string): Promise<void> {
  for (const name of (await serverLogs(logDir)).slice(0, -keptFiles))
    await rm(join(logDir, name), { force: true })
}

export async function lastWords(dir: string, logDir: string): Promise<string> {
  const newest = (await serverLogs(logDir)).at(-1)
  const texts = await Promise.all(
    [startLog(dir), ...(newest === undefined ? [] : [join(logDir, newest)])].map((path) =>
      readFile(path, 'utf8'),
    ),
  )
  return texts.join('').trim().slice(-2000)
}

async function serverLogs(logDir: string): Promise<string[]> {
  return (await readdir(logDir)).filter((name) => name.startsWith('server-')).toSorted()
}
