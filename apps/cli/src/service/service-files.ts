import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ifPresent } from '@muster/postgres/missing-file'
import { Failure } from '../failure.ts'
import { marker } from './unit.ts'

export type ServicePlaces = { unit: string; environment: string; token: string; data: string }

/** Where the files of a worker's service are, by its name. `home` and the others are those of a user's own systemd. */
export function servicePlaces(
  name: string,
  own: { config: string; data: string } | null,
  root = '/',
): ServicePlaces {
  const settings = own === null ? join(root, 'etc/muster') : join(own.config, 'muster')
  const units = own === null ? join(root, 'etc/systemd/system') : join(own.config, 'systemd/user')
  return {
    unit: join(units, `${name}.service`),
    environment: join(settings, `${name}.env`),
    token: join(settings, `${name}.token`),
    data: own === null ? join('/var/lib', name) : join(own.data, name),
  }
}

export type ServiceFile = { path: string; text: string; mode: number }

/** The token has no comment: its file holds nothing else, so it is known by the unit beside it. */
const isOurs = (path: string, text: string) => path.endsWith('.token') || text.startsWith(marker)

/**
 * Writes each file whole or not at all, and answers those that changed. A file of somebody else's stops it before
 * anything is written.
 */
export async function writeFiles(files: ServiceFile[]): Promise<string[]> {
  const before = await Promise.all(files.map(async ({ path }) => ifPresent(readFile(path, 'utf8'))))
  files.forEach(({ path }, at) => refuseForeign(path, before[at]))
  const changed: string[] = []
  for (const [at, { path, text, mode }] of files.entries()) {
    if (before[at] === text) {
      await chmod(path, mode)
      continue
    }
    await mkdir(dirname(path), { recursive: true })
    await writeFile(`${path}.new`, text, { mode })
    await chmod(`${path}.new`, mode)
    await rename(`${path}.new`, path)
    changed.push(path)
  }
  return changed
}

/** Removes what `writeFiles` wrote, and answers what was there. */
export async function removeFiles({ unit, environment, token }: ServicePlaces): Promise<string[]> {
  const paths = [unit, environment, token]
  const found = await Promise.all(paths.map(async (path) => ifPresent(readFile(path, 'utf8'))))
  paths.forEach((path, at) => refuseForeign(path, found[at]))
  const there = paths.filter((_, at) => found[at] !== undefined)
  for (const path of there) await rm(path, { force: true })
  return there
}

function refuseForeign(path: string, text: string | undefined): void {
  if (text === undefined || isOurs(path, text)) return
  throw new Failure(
    'unit_not_ours',
    `${path} is not a file that "muster worker install" wrote.`,
    'Choose another --name, or move the file away.',
    5,
  )
}
