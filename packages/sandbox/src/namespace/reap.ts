import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SandboxError } from '../sandbox.ts'
import { killCgroup, procs, removeCgroups } from './cgroup.ts'
import { processesNamed, processesOfUid, signalProcess } from './processes.ts'
import { releaseUid, takeOrphans, uidsOf, type WallRecord } from './records.ts'
import type { StateFiles } from './state-files.ts'

const REAP_MS = 10_000

/** Ends and removes what dead owners left. Bubblewraps die with their owner, so mostly empty cgroups and locks. */
export async function reapOrphans(files: StateFiles): Promise<string[]> {
  const ids: string[] = []
  for (const { record, path } of await takeOrphans(files.walls)) {
    const uids = await uidsOf(files.uids, record)
    await endProcesses(record, uids)
    await removeCgroups(record.cgroups)
    // The user is given back only now that none of its processes is left.
    for (const uid of uids) await releaseUid(files.uids, uid)
    await removePipes(files.walls, record)
    await rm(path, { force: true })
    ids.push(record.id)
  }
  return ids
}

/** Pipes have a name only for the moment between being made and being opened. */
async function removePipes(walls: string, { wallName }: WallRecord): Promise<void> {
  const names = readdirSync(walls).filter((name) => name.startsWith(`${wallName}.x`))
  await Promise.all(names.map((name) => rm(join(walls, name), { force: true })))
}

async function endProcesses(record: WallRecord, uids: number[]): Promise<void> {
  const groups = record.cgroups.flatMap(withThoseBelow)
  const left = (): number[] => [
    ...groups.flatMap(procs),
    ...uids.flatMap(processesOfUid),
    ...processesNamed(record.wallName),
  ]
  const until = performance.now() + REAP_MS
  while (left().length > 0) {
    if (performance.now() > until) {
      throw new SandboxError(
        'sandbox_leftovers',
        `processes ${left().join(', ')} of ${record.wallName} cannot be killed`,
      )
    }
    for (const group of groups) await killCgroup(group)
    for (const pid of left()) signalProcess(pid, 'SIGKILL')
    await sleep(10)
  }
}

function withThoseBelow(dir: string): string[] {
  if (!existsSync(dir)) return []
  const below = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return [dir, ...below.map((entry) => join(dir, entry.name))]
}
