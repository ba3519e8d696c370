import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A unit with Delegate= has a cgroup of its own, but one that holds processes cannot hand memory and process limits down
 * to others (the rule of "no internal processes"). So the worker moves into a child of it and opens the unit's cgroup
 * for walls, which then are the worker's siblings: limited each, and all together by the unit. Where this does not work
 * walls have the limits of rlimits, as without systemd. `DelegateSubgroup=` would do it too, but only from systemd 254.
 */
export async function openDelegatedCgroup(self: string, root = '/sys/fs/cgroup'): Promise<'opened' | 'none'> {
  // `0::/system.slice/muster-worker.service`; a second start after the first one's move ends in /worker.
  const unit = /^0::(\/.+\.service)(?:\/worker)?$/m.exec(self)?.[1]
  if (unit === undefined) return 'none'
  const at = join(root, unit)
  const offered = await readFile(join(at, 'cgroup.controllers'), 'utf8').catch(() => '')
  const wanted = ['memory', 'pids', 'cpu'].filter((name) => offered.trim().split(' ').includes(name))
  if (!wanted.includes('memory') || !wanted.includes('pids')) return 'none'
  await mkdir(join(at, 'worker'), { recursive: true })
  await writeFile(join(at, 'worker/cgroup.procs'), String(process.pid))
  await writeFile(join(at, 'cgroup.subtree_control'), wanted.map((name) => `+${name}`).join(' '))
  return 'opened'
}
