import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where walls may have cgroups. Always below our own: a wall never escapes a limit its worker was given. */
export type CgroupHome =
  | { version: 1; memory: string; pids: string; cpu: string | undefined }
  | { version: 2; dir: string }

/** Undefined when this process may not make cgroups with memory and pids limits. */
export function findCgroupHome(): CgroupHome | undefined {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
  const self = readFileSync('/proc/self/cgroup', 'utf8')
  return chooseCgroupHome(mounts, self, { usableV1, usableV2 })
}

export function chooseCgroupHome(
  mounts: string,
  self: string,
  can: { usableV1: (dir: string) => boolean; usableV2: (dir: string) => boolean },
): CgroupHome | undefined {
  const v1 = (controller: string): string | undefined => {
    const mount = mountPoint(mounts, 'cgroup', controller)
    if (mount === undefined) return undefined
    // In a container the path is the host's and is not there; then the mount itself is our place.
    return [join(mount, ownPath(self, controller) ?? '/'), mount].find(can.usableV1)
  }
  const memory = v1('memory')
  const pids = v1('pids')
  if (memory !== undefined && pids !== undefined) return { version: 1, memory, pids, cpu: v1('cpu') }

  const unified = mountPoint(mounts, 'cgroup2', undefined)
  if (unified === undefined) return undefined
  const own = join(unified, ownPath(self, '') ?? '/')
  // A cgroup with processes cannot hand controllers down, so a service with DelegateSubgroup= builds beside itself.
  const dir = [own, dirname(own)].filter((dir) => dir.startsWith(unified)).find(can.usableV2)
  return dir === undefined ? undefined : { version: 2, dir }
}

function mountPoint(mounts: string, type: string, option: string | undefined): string | undefined {
  const rows = mounts.split('\n').map((line) => line.split(' '))
  return rows.find(
    (row) => row[2] === type && (option === undefined || row[3]?.split(',').includes(option)),
  )?.[1]
}

/** Lines are `4:memory:/path`, and `0::/path` for version 2. */
function ownPath(self: string, controller: string): string | undefined {
  const rows = self.split('\n').map((line) => line.split(':'))
  return rows
    .find((row) => row[1]?.split(',').includes(controller))
    ?.slice(2)
    .join(':')
}

function usableV1(dir: string): boolean {
  return writable(dir)
}

function usableV2(dir: string): boolean {
  const handedDown = join(dir, 'cgroup.subtree_control')
  if (!writable(dir) || !existsSync(handedDown)) return false
  const controllers = readFileSync(handedDown, 'utf8').trim().split(' ')
  return controllers.includes('memory') && controllers.includes('pids')
}

function writable(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
