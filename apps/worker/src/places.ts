import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { removeTree } from './remove-tree.ts'

/**
 * Walls run as users of their own, who must be able to pass through to their workspace; everything else is the
 * worker's alone.
 */
export async function openPlaces(dataDir: string) {
  const at = (name: string) => join(dataDir, name)
  const places = {
    runs: at('runs'),
    walls: at('walls'),
    journal: at('journal'),
    mirrors: at('mirrors'),
    git: at('git'),
  }
  await mkdir(dataDir, { recursive: true })
  await chmod(dataDir, 0o711)
  for (const path of Object.values(places)) await mkdir(path, { recursive: true, mode: 0o700 })
  await chmod(places.runs, 0o711)
  await chmod(places.walls, 0o711)
  return places
}

export type Places = Awaited<ReturnType<typeof openPlaces>>

/** Checkouts of runs that an earlier process did not live to remove; the runs themselves are in the journal. */
export async function emptyRuns(dir: string): Promise<void> {
  await removeTree(dir)
  await mkdir(dir, { mode: 0o711 })
  await chmod(dir, 0o711)
}

/** Made once per data directory: tells this worker from a copy of its token elsewhere. */
export async function instanceOf(dataDir: string): Promise<string> {
  const path = join(dataDir, 'instance')
  const known = await readFile(path, 'utf8').catch(() => '')
  if (known !== '') return known.trim()
  const made = randomUUID()
  await writeFile(path, `${made}\n`, { mode: 0o600 })
  return made
}
