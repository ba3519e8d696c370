import { access, constants, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The first directory on the way to a path that its user may not pass; undefined when it can reach the path. */
export async function firstClosed(path: string, uid: number | undefined): Promise<string | undefined> {
  const ancestors = [dirname(await realpath(path))]
  while (ancestors[0] !== '/') ancestors.unshift(dirname(ancestors[0] as string))
  for (const dir of ancestors) {
    if (!(await mayPass(dir, uid))) return dir
  }
  return undefined
}

async function mayPass(dir: string, uid: number | undefined): Promise<boolean> {
  if (uid === undefined) {
    return access(dir, constants.X_OK).then(
      () => true,
      () => false,
    )
  }
  // The wall's group has the number of its user, and both exist nowhere else.
  const { mode, uid: owner, gid } = await stat(dir)
  const bit = owner === uid ? 0o100 : gid === uid ? 0o010 : 0o001
  return (mode & bit) !== 0
}
