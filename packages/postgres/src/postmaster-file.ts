import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, ifPresent } from './missing-file.ts'
import { isServerOf } from './process-identity.ts'

/** What a running server says about itself in data/postmaster.pid; it writes the lines one after the other. */
export interface PostmasterFile {
  pid: number
  /** Seconds since 1970: together with the pid this names one start of one server. */
  startedAt: string
  port: number
  socketDir: string
  status: 'starting' | 'stopping' | 'ready' | 'standby' | ''
}

export async function readPostmasterFile(data: string): Promise<PostmasterFile | undefined> {
  const text = await ifPresent(readFile(join(data, 'postmaster.pid'), 'utf8'))
  if (text === undefined) return undefined
  // A last line without its end is one that the server was just writing.
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.trim())
  if (!lines[0] || !lines[2]) return undefined
  return {
    pid: Number(lines[0]),
    startedAt: lines[2],
    port: Number(lines[3] ?? 0),
    socketDir: lines[4] ?? '',
    status: (lines[7] ?? '') as PostmasterFile['status'],
  }
}

/** The file of the server that really lives on this data, if one does. */
export async function livingPostmaster(data: string): Promise<PostmasterFile | undefined> {
  const file = await readPostmasterFile(data)
  return file !== undefined && (await isServerOf(file.pid, data)) ? file : undefined
}

/**
 * PostgreSQL refuses to start while the pid in the file exists, whatever it is by now: after a container restart often an
 * innocent process, and where nothing reaps orphans the zombie of the killed server itself. Call this only once no server
 * process of this data is left: it is then safe to remove. A file whose pid is free stays, since PostgreSQL finds in it
 * the shared memory that it has to clear away.
 */
export async function removeStalePostmasterFile(data: string): Promise<void> {
  const file = await readPostmasterFile(data)
  if (file !== undefined && !isTaken(file.pid)) return
  await rm(join(data, 'postmaster.pid'), { force: true })
}

function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}
