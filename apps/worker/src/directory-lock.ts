import { isAlive, thisProcess, type Owner } from '@muster/sandbox/namespace/owner'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * One worker per data directory. The lock names its process by pid, start time and boot, so that one left by a
 * killed worker, or by a process whose number was used again, is recognised and taken over.
 */
export async function lockDirectory(dir: string): Promise<() => Promise<void>> {
  const path = join(dir, 'worker.lock')
  const mine = `${path}.${process.pid}`
  await writeFile(mine, JSON.stringify(thisProcess()), { mode: 0o600 })
  try {
    for (let attempt = 1; attempt <= 5; attempt++) {
      // A hard link is made or fails: there is no moment in which the lock exists without its content.
      const taken = await link(mine, path).then(
        () => true,
        () => false,
      )
      if (taken) return () => rm(path, { force: true })
      const owner = parse(await readFile(path, 'utf8').catch(() => ''))
      if (owner !== undefined && isAlive(owner)) {
        throw new Error(
          `another worker (pid ${owner.pid}) uses ${dir}; give each worker a directory of its own`,
        )
      }
      await rm(path, { force: true })
    }
    throw new Error(`the lock ${path} cannot be taken; remove it if no worker runs`)
  } finally {
    await rm(mine, { force: true })
  }
}

function parse(text: string): Owner | undefined {
  try {
    const value = JSON.parse(text) as Partial<Owner>
    const { pid, start, boot } = value
    return typeof pid === 'number' && typeof start === 'string' && typeof boot === 'string'
      ? { pid, start, boot }
      : undefined
  } catch {
    return undefined
  }
}
