import { existsSync, readFileSync, readlinkSync, lstatSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { SandboxError } from '../sandbox.ts'
import type { HostLayout } from './argv.ts'
import { packageRemedy } from './diagnose.ts'
import { firstClosed } from './reach.ts'

/** Not PATH: what starts the wall as root must not depend on who started the worker. */
export const systemDirs = [
  '/usr/bin',
  '/bin',
  '/usr/local/bin',
  '/usr/sbin',
  '/sbin',
  '/run/current-system/sw/bin',
]

export function findProgram(name: string, dirs: string[]): string | undefined {
  return dirs.map((dir) => join(dir, name)).find((path) => existsSync(path))
}

export async function readLayout(from: {
  programDirs: string[]
  tools: string[]
  etc: string
}): Promise<HostLayout> {
  const program = (name: string, packageName: string): string => {
    const path = findProgram(name, from.programDirs)
    if (path !== undefined) return path
    throw new SandboxError(
      'sandbox_unavailable',
      `${name} was not found in ${from.programDirs.join(', ')}`,
      packageRemedy(packageName, (tool) => findProgram(tool, systemDirs) !== undefined),
    )
  }
  return {
    programs: {
      bwrap: program('bwrap', 'bubblewrap'),
      setpriv: program('setpriv', 'util-linux'),
      prlimit: program('prlimit', 'util-linux'),
      mkfifo: program('mkfifo', 'coreutils'),
    },
    roots: ['/bin', '/sbin', '/lib', '/lib32', '/lib64'].flatMap((path) => {
      const found = lstatSync(path, { throwIfNoEntry: false })
      if (found === undefined) return []
      return [{ path, link: found.isSymbolicLink() ? readlinkSync(path) : undefined }]
    }),
    etc: from.etc,
    tools: await Promise.all(from.tools.map(readTool)),
    hardOpenFiles: hardOpenFiles(),
    hostMemoryBytes: totalmem(),
  }
}

async function readTool(dir: string): Promise<{ dir: string; path: string }> {
  const found = isAbsolute(dir) ? await stat(dir).catch(() => undefined) : undefined
  if (!found?.isDirectory()) {
    throw new SandboxError(
      'sandbox_unavailable',
      `the tools directory "${dir}" is not an absolute path to a directory`,
    )
  }
  return { dir, path: existsSync(join(dir, 'bin')) ? join(dir, 'bin') : dir }
}

/** Each must be reachable by the very user that will mount it. */
export async function refuseClosedMounts(paths: string[], uid: number | undefined): Promise<void> {
  for (const path of paths) {
    const closed = await firstClosed(path, uid)
    if (closed === undefined) continue
    throw new SandboxError(
      'sandbox_unavailable',
      `the wall's unprivileged user cannot reach ${path}: ${closed} is closed to it`,
      `Run "chmod o+x ${closed}", or move it to where every ancestor lets others pass, such as below /var/lib or /opt.`,
    )
  }
}

function hardOpenFiles(): number {
  const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
  return line === null || line[1] === 'unlimited' ? Infinity : Number(line[1])
}
