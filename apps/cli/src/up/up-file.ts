import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ifPresent } from '@muster/postgres/missing-file'
import { isAlive, type ProcessIdentity } from '@muster/postgres/process-identity'
import { z } from 'zod'

const pid = z.int().positive().nullable()
const startTime = z.string().nullable()

/** What `up` leaves for the other commands. A pid without its start time proves nothing, so both are kept. */
const upFile = z.object({
  pid: z.int().positive(),
  startTime: z.string(),
  /** Null until the hub serves. */
  url: z.string().nullable(),
  hubPid: pid,
  hubStartTime: startTime,
  workerPid: pid,
  workerStartTime: startTime,
  databasePid: pid,
  databaseStartTime: startTime,
})
export type UpFile = z.infer<typeof upFile>

export const partNames = ['hub', 'worker', 'database'] as const
export type PartName = (typeof partNames)[number]

function pathIn(data: string): string {
  return join(data, 'up.json')
}

/** A file that cannot be understood is treated like none: it came from another version, and `up` writes it anew. */
export async function readUpFile(data: string): Promise<UpFile | undefined> {
  const text = await ifPresent(readFile(pathIn(data), 'utf8'))
  if (text === undefined) return undefined
  try {
    return upFile.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** By rename, so that a reader and a crash see the old or the new file and never a half of one. */
export async function writeUpFile(data: string, content: UpFile): Promise<void> {
  const draft = join(data, `up.json.${randomUUID()}`)
  await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
  await rename(draft, pathIn(data))
}

export async function removeUpFile(data: string): Promise<void> {
  await rm(pathIn(data), { force: true })
}

export function supervisorOf(file: UpFile): ProcessIdentity {
  return { pid: file.pid, startedAt: file.startTime }
}

export function partOf(file: UpFile, name: PartName): ProcessIdentity | undefined {
  const part = file[`${name}Pid`]
  const startedAt = file[`${name}StartTime`]
  return part === null || startedAt === null ? undefined : { pid: part, startedAt }
}

/** The parts of the file that still live, whoever their supervisor is. */
export async function livingParts(file: UpFile): Promise<{ name: PartName; identity: ProcessIdentity }[]> {
  const found = partNames.map((name) => ({ name, identity: partOf(file, name) }))
  const alive = await Promise.all(
    found.map(({ identity }) => (identity === undefined ? false : isAlive(identity))),
  )
  return found.flatMap(({ name, identity }, index) =>
    alive[index] === true && identity !== undefined ? [{ name, identity }] : [],
  )
}
