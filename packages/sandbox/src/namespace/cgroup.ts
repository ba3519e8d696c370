import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WallLimits } from '../sandbox.ts'
import type { CgroupHome } from './cgroup-home.ts'
import { signalProcess } from './processes.ts'

/** One cgroup for the wall, which carries the limits, and one below it for each command, which tells whose hit it was. */
export type WallCgroup = {
  enter(name: string): Promise<ExecCgroup>
  peaks(): { memoryBytes: number | undefined; processes: number | undefined }
  remove(): Promise<void>
}

export type ExecCgroup = {
  procsFiles: string[]
  /** Host pids, without zombies. */
  pids(): number[]
  hits(): { oomKills: number; processHits: number }
  kill(): Promise<void>
  remove(): Promise<void>
}

/** The directories of a wall, known before they are made, so that they can be written down first. */
export function cgroupDirs(home: CgroupHome, wallName: string): string[] {
  const parents =
    home.version === 2 ? [home.dir] : [home.memory, home.pids, home.cpu].filter((dir) => dir !== undefined)
  // cpu and cpuacct, or memory and pids, may be one mount.
  return [...new Set(parents.map((dir) => join(dir, wallName)))]
}

export async function createCgroup(
  home: CgroupHome,
  wallName: string,
  limits: WallLimits,
): Promise<WallCgroup> {
  const dirs = cgroupDirs(home, wallName)
  for (const dir of dirs) await mkdir(dir)
  const memory = join(home.version === 2 ? home.dir : home.memory, wallName)
  const pids = join(home.version === 2 ? home.dir : home.pids, wallName)
  for (const [dir, file, value] of limitFiles(home, wallName, limits)) {
    // Swap accounting and the cpu controller are built out of some kernels; memory and pids are not optional.
    const optional = /swap|memsw|cpu/.test(file)
    if (optional && !existsSync(join(dir, file))) continue
    await writeFile(join(dir, file), value)
  }
  return {
    async enter(name) {
      const below = dirs.map((dir) => join(dir, name))
      for (const dir of below) await mkdir(dir)
      return execCgroup(below, join(memory, name), { wall: pids, own: join(pids, name) })
    },
    peaks: () => ({
      memoryBytes: number(join(memory, home.version === 2 ? 'memory.peak' : 'memory.max_usage_in_bytes')),
      processes: number(join(pids, 'pids.peak')),
    }),
    remove: () => removeCgroups(dirs),
  }
}

function limitFiles(home: CgroupHome, wallName: string, limits: WallLimits): [string, string, string][] {
  const { memoryBytes, processes, cpus } = limits
  // 100 ms is the kernel's default period.
  const quota = Math.round(cpus * 100_000)
  if (home.version === 2) {
    const dir = join(home.dir, wallName)
    return [
      [dir, 'cgroup.subtree_control', '+memory +pids'],
      [dir, 'memory.max', String(memoryBytes)],
      [dir, 'memory.swap.max', '0'],
      [dir, 'pids.max', String(processes)],
      [dir, 'cpu.max', `${quota} 100000`],
    ]
  }
  return [
    [join(home.memory, wallName), 'memory.limit_in_bytes', String(memoryBytes)],
    [join(home.memory, wallName), 'memory.memsw.limit_in_bytes', String(memoryBytes)],
    [join(home.pids, wallName), 'pids.max', String(processes)],
    ...(home.cpu === undefined
      ? []
      : [[join(home.cpu, wallName), 'cpu.cfs_quota_us', String(quota)] as [string, string, string]]),
  ]
}

function execCgroup(dirs: string[], memory: string, pids: { wall: string; own: string }): ExecCgroup {
  const processHits = (): number =>
    // Which level counts a refused fork changed in Linux 6.11: the one that forked, or the one whose limit it was.
    Math.max(
      counter(join(pids.own, 'pids.events'), 'max'),
      counter(join(pids.wall, 'pids.events'), 'max') - before,
    )
  const before = counter(join(pids.wall, 'pids.events'), 'max')
  const list = (): number[] => procs(pids.own)
  return {
    procsFiles: dirs.map((dir) => join(dir, 'cgroup.procs')),
    pids: list,
    hits: () => ({
      oomKills:
        counter(join(memory, 'memory.oom_control'), 'oom_kill') +
        counter(join(memory, 'memory.events'), 'oom_kill'),
      processHits: processHits(),
    }),
    kill: () => killCgroup(pids.own),
    remove: () => removeCgroups(dirs),
  }
}

export async function killCgroup(dir: string): Promise<void> {
  const killFile = join(dir, 'cgroup.kill')
  if (existsSync(killFile)) await writeFile(killFile, '1')
  else for (const pid of procs(dir)) signalProcess(pid, 'SIGKILL')
}

/** Host pids in this cgroup, not in those below it. */
export function procs(dir: string): number[] {
  const file = join(dir, 'cgroup.procs')
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number)
}

/** Removes them with those of their commands. A cgroup stays busy for a moment after its last process was reaped. */
export async function removeCgroups(dirs: string[]): Promise<void> {
  for (const dir of dirs) {
    const below = existsSync(dir) ? await readdir(dir, { withFileTypes: true }) : []
    await removeCgroups(below.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name)))
    for (let attempt = 0; ; attempt += 1) {
      try {
        await rmdir(dir)
        break
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'ENOENT') break
        if (code !== 'EBUSY' || attempt === 100) throw error
        await sleep(20)
      }
    }
  }
}

function number(file: string): number | undefined {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
}

/** `name value` lines. A file that this kernel does not have counts nothing. */
function counter(file: string, name: string): number {
  if (!existsSync(file)) return 0
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((row) => row.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.slice(name.length + 1))
}
