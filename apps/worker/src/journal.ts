import { assignment, runResult, type Assignment, type RunResult } from '@muster/contract/wire'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'

const entry = z.object({ assignment, result: runResult.nullable() })
export type Entry = z.infer<typeof entry>

/**
 * What this worker has taken on, on disk before it is acted on (SIDE-03): one file per run, written aside, flushed,
 * renamed, and the directory flushed, so that after a crash at any line a file is there whole or not at all.
 * A run's result is written into its entry before it is sent, so that a finished run is not done again because the
 * worker died while the hub was away.
 */
export async function openJournal(dir: string) {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const pathOf = (runId: string) => join(dir, `${runId}.json`)

  const write = async (value: Entry) => {
    const path = pathOf(value.assignment.runId)
    const file = await open(`${path}.new`, 'w', 0o600)
    try {
      await file.writeFile(JSON.stringify(value))
      await file.sync()
    } catch (error) {
      // Half of an entry must not keep the room on a full disk.
      await rm(`${path}.new`, { force: true })
      throw error
    } finally {
      await file.close()
    }
    await rename(`${path}.new`, path)
    await flushDirectory(dirname(path))
  }

  return {
    begin: (taken: Assignment) => write({ assignment: taken, result: null }),
    finish: (taken: Assignment, result: RunResult) => write({ assignment: taken, result }),
    forget: (runId: string) => rm(pathOf(runId), { force: true }),
    /** What an earlier process left; a file that is not whole was never acted on and is dropped. */
    async recover(): Promise<Entry[]> {
      const left: Entry[] = []
      for (const name of await readdir(dir)) {
        const parsed = name.endsWith('.json') ? parse(await readFile(join(dir, name), 'utf8')) : undefined
        if (parsed === undefined) await rm(join(dir, name), { force: true })
        else left.push(parsed)
      }
      return left
    },
  }
}
export type Journal = Awaited<ReturnType<typeof openJournal>>

function parse(text: string): Entry | undefined {
  try {
    return entry.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

async function flushDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
