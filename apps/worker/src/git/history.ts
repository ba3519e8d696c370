import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Git } from './git.ts'

export type HistoryOptions = { mirror: string; commit: string; signal?: AbortSignal | undefined }

const packLimitMs = 120_000

/**
 * Puts a pack with all that `commit` reaches, and nothing else of the mirror, into a directory.
 *
 * Tasks start from the same commit again and again, so the mirror keeps the pack of the last one it was asked for. It is
 * copied and never linked, because the wall's user will own what is put there. A pack appears under the name of its commit
 * when it is complete; a draft of a killed worker goes when the next start clears the mirror.
 */
export async function putHistory(git: Git, options: HistoryOptions, into: string): Promise<void> {
  const kept = join(options.mirror, 'history', options.commit)
  if (await copyAll(kept, into)) return
  const draft = join(options.mirror, 'history', `draft-${randomUUID()}`)
  await mkdir(draft, { recursive: true })
  try {
    await pack(git, options, draft)
    await copyAll(draft, into)
    await keep(options, draft)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

function pack(git: Git, { mirror, commit, signal }: HistoryOptions, into: string) {
  const args = ['pack-objects', '--quiet', '--revs', '--delta-base-offset', join(into, 'pack')]
  return git.run(args, { cwd: mirror, timeoutMs: packLimitMs, signal, stdin: `${commit}\n` })
}

/** False when there is nothing, or it went meanwhile because another commit took its place. */
async function copyAll(from: string, into: string): Promise<boolean> {
  try {
    const names = await readdir(from)
    const copy = (name: string) => copyFile(join(from, name), join(into, name), constants.COPYFILE_FICLONE)
    await Promise.all(names.map(copy))
    return names.length > 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** A pack can be as large as the mirror: one is kept, the newest. */
async function keep({ mirror, commit }: HistoryOptions, draft: string): Promise<void> {
  const all = join(mirror, 'history')
  const others = (await readdir(all)).filter((name) => !name.startsWith('draft-') && name !== commit)
  await Promise.all(others.map((name) => rm(join(all, name), { recursive: true, force: true })))
  // Another run of the same commit may have been first; the two packs hold the same.
  await rename(draft, join(all, commit)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  })
}
