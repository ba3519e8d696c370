import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, ifPresent } from './missing-file.ts'
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts'
import { PostgresError } from './postgres-error.ts'

export interface OwnerLock {
  release(): Promise<void>
}

/**
 * At most one living process owns a cluster's directory. The lock is a folder of generations 1, 2, 3, …; the owner is
 * whoever made the highest one, as long as that process lives and has not released it.
 *
 * Why generations and not one file that is removed when stale: two processes that both judge the same file stale could
 * otherwise remove each other's fresh lock. Here both try to create the same next number and `link` lets one win. What
 * must stay true: the highest number is never removed, so a slow contender can always see that it came too late.
 * A crash anywhere leaves at worst a file of a dead process, which the next owner passes over.
 */
export async function takeOwnerLock(folder: string): Promise<OwnerLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const self = await identify(process.pid)
  if (self === undefined) throw new Error('this process cannot see itself in the process table')
  for (;;) {
    const highest = await highestGeneration(folder)
    await refuseLiving(folder, highest)
    if (await createGeneration(folder, highest + 1, self)) {
      const mine = highest + 1
      if ((await highestGeneration(folder)) === mine) {
        await removeBelow(folder, mine)
        return { release: () => writeGeneration(folder, mine, { released: true }) }
      }
      await rm(join(folder, String(mine)), { force: true })
    }
  }
}

async function refuseLiving(folder: string, generation: number): Promise<void> {
  const holder = await readGeneration(folder, generation)
  if (holder === undefined || !(await isAlive(holder))) return
  throw new PostgresError(
    'database_in_use',
    `the database in ${folder} is in use by process ${holder.pid}`,
    `Stop process ${holder.pid} first, or choose another data directory.`,
  )
}

async function highestGeneration(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).filter((name) => /^\d+$/.test(name)).map(Number)
  return Math.max(0, ...numbers)
}

async function readGeneration(folder: string, generation: number): Promise<ProcessIdentity | undefined> {
  const text = await ifPresent(readFile(join(folder, String(generation)), 'utf8'))
  // Empty after a power cut that kept the name but not the content: whoever held it is dead.
  if (!text) return undefined
  const content = JSON.parse(text) as Partial<ProcessIdentity>
  return content.pid === undefined || content.startedAt === undefined
    ? undefined
    : { pid: content.pid, startedAt: content.startedAt }
}

async function createGeneration(
  folder: string,
  generation: number,
  owner: ProcessIdentity,
): Promise<boolean> {
  const draft = await writeDraft(folder, owner)
  try {
    await link(draft, join(folder, String(generation)))
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

async function writeGeneration(folder: string, generation: number, content: object): Promise<void> {
  await rename(await writeDraft(folder, content), join(folder, String(generation)))
}

async function writeDraft(folder: string, content: object): Promise<string> {
  const draft = join(folder, `draft-${randomUUID()}`)
  await writeFile(draft, JSON.stringify(content), { mode: 0o600 })
  return draft
}

async function removeBelow(folder: string, generation: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^\d+$/.test(name) && Number(name) < generation) await rm(join(folder, name), { force: true })
  }
}
