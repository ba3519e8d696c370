import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type BranchValue = { version: number; commit: string | null }

/**
 * Stands for the branches of a person's repository, shared by all workers: one folder per task, one file per value it
 * ever had. A value is changed by making the file of the next version, which exactly one writer can do, so this is the
 * compare-and-swap that a push has, and no kill leaves a lock behind. Every value stays to be looked at.
 */
export function branchesIn(dir: string) {
  const folder = (taskId: string) => join(dir, taskId)
  const read = (taskId: string): BranchValue => {
    const versions = readVersions(folder(taskId))
    const version = versions.at(-1)
    if (version === undefined) return { version: 0, commit: null }
    const commit = readFileSync(join(folder(taskId), String(version)), 'utf8')
    return { version, commit: commit === '' ? null : commit }
  }
  const swap = (taskId: string, expected: BranchValue, commit: string | null): boolean => {
    mkdirSync(folder(taskId), { recursive: true })
    const draft = join(dir, `draft-${randomUUID()}`)
    writeFileSync(draft, commit ?? '')
    try {
      linkSync(draft, join(folder(taskId), String(expected.version + 1)))
      return true
    } catch (error) {
      if ((error as { code?: string }).code === 'EEXIST') return false
      throw error
    } finally {
      rmSync(draft)
    }
  }
  return { read, swap }
}
export type Branches = ReturnType<typeof branchesIn>

function readVersions(folder: string): number[] {
  try {
    return readdirSync(folder)
      .map(Number)
      .toSorted((a, b) => a - b)
  } catch {
    return []
  }
}
