import { randomUUID } from 'node:crypto'
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive, thisProcess, type Owner } from './owner.ts'
import { processesOfUid } from './processes.ts'

/** Written before anything of a wall exists and removed after everything is gone, so that a crash leaves a trace. */
export type WallRecord = { id: string; wallName: string; owner: Owner; cgroups: string[] }

type UidLock = { wallName: string; owner: Owner }

export const firstUid = 20_000
export const uidCount = 10_000

/** False when the name is taken. The file appears with its content or not at all: a crash cannot leave it empty. */
async function createWhole(path: string, content: unknown): Promise<boolean> {
  const draft = `${path}.${randomUUID()}.draft`
  await writeFile(draft, JSON.stringify(content), { mode: 0o600 })
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft)
  }
}

export function writeRecord(walls: string, record: WallRecord): Promise<boolean> {
  return createWhole(join(walls, `${record.id}.json`), record)
}

export function removeRecord(walls: string, id: string): Promise<void> {
  return rm(join(walls, `${id}.json`), { force: true })
}

/**
 * Records whose owner is dead, set aside under the name of the wall, which is never used twice: several may reap the
 * same one at once, and a reaper that dies half-way leaves it to the next.
 */
export async function takeOrphans(walls: string): Promise<{ record: WallRecord; path: string }[]> {
  for (const name of (await readdir(walls)).filter((name) => name.endsWith('.json'))) {
    const path = join(walls, name)
    const record = await readJson<WallRecord>(path)
    if (record !== undefined && !isAlive(record.owner)) await setAside(walls, path, record)
  }
  const orphans = (await readdir(walls)).filter((name) => name.endsWith('.orphan'))
  const read = await Promise.all(
    orphans.map(async (name) => ({
      path: join(walls, name),
      record: await readJson<WallRecord>(join(walls, name)),
    })),
  )
  return read.flatMap(({ path, record }) => (record === undefined ? [] : [{ path, record }]))
}

async function setAside(walls: string, path: string, record: WallRecord): Promise<void> {
  const aside = join(walls, `${record.wallName}.orphan`)
  try {
    await rename(path, aside)
  } catch (error) {
    // Another reaper was first.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  // Between our look and the rename a reaper may have finished and a new wall have taken the id: that one goes back.
  const moved = await readJson<WallRecord>(aside)
  if (moved !== undefined && moved.wallName !== record.wallName) await rename(aside, path)
}

/** The lowest free host user. Also skips one that has processes: a lock directory says nothing about other software. */
export async function claimUid(uids: string, wallName: string): Promise<number | undefined> {
  const lock: UidLock = { wallName, owner: thisProcess() }
  for (let uid = firstUid; uid < firstUid + uidCount; uid += 1) {
    if (!(await createWhole(lockPath(uids, uid), lock))) continue
    if (processesOfUid(uid).length === 0) return uid
    await releaseUid(uids, uid)
  }
  return undefined
}

export function releaseUid(uids: string, uid: number): Promise<void> {
  return rm(lockPath(uids, uid), { force: true })
}

export async function uidsOf(uids: string, { wallName }: WallRecord): Promise<number[]> {
  const names = (await readdir(uids)).filter((name) => /^\d+\.lock$/.test(name))
  const locks = await Promise.all(names.map((name) => readJson<UidLock>(join(uids, name))))
  return names.filter((_, i) => locks[i]?.wallName === wallName).map((name) => Number.parseInt(name, 10))
}

const lockPath = (uids: string, uid: number): string => join(uids, `${uid}.lock`)

/** Undefined when it is gone. */
async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
