import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import { hasCode, ifPresent } from './missing-file.ts'

/** A pid alone is not an identity: numbers are reused, in containers within seconds. With its start time it is. */
export interface ProcessIdentity {
  pid: number
  startedAt: string
}

const run = promisify(execFile)

/** Undefined when no such process lives; a zombie counts as gone, it holds nothing any more. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = process.platform === 'linux' ? await linuxStart(pid) : await portableStart(pid)
  return startedAt === undefined ? undefined : { pid, startedAt }
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.startedAt === identity.startedAt
}

/** Ticks since boot, so the boot belongs to it: services get the same pid at nearly the same tick every boot. */
async function linuxStart(pid: number): Promise<string | undefined> {
  const stat = await procFile(readFile(`/proc/${pid}/stat`, 'utf8'))
  if (stat === undefined) return undefined
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  const boot = await ifPresent(readFile('/proc/sys/kernel/random/boot_id', 'utf8'))
  return `${boot?.trim() ?? ''}/${fields[19]}`
}

async function portableStart(pid: number): Promise<string | undefined> {
  const line = await psLine(pid, 'stat=,lstart=')
  if (line === undefined || line.startsWith('Z')) return undefined
  return line.slice(line.indexOf(' ')).trim()
}

/** Is this process a PostgreSQL process of this data directory? Each of them has it as working directory. */
export async function isServerOf(pid: number, dataDir: string): Promise<boolean> {
  if (process.platform !== 'linux') {
    const command = await psLine(pid, 'command=')
    return command !== undefined && command.includes('postgres') && command.includes(dataDir)
  }
  if ((await identify(pid)) === undefined) return false
  const name = await procFile(readFile(`/proc/${pid}/comm`, 'utf8'))
  const workingDirectory = await procFile(readlink(`/proc/${pid}/cwd`))
  return name !== undefined && name.startsWith('post') && workingDirectory === dataDir
}

/** Linux only; elsewhere PostgreSQL's own shared memory check has to do, and start is tried again until it agrees. */
export async function serverProcessesOf(dataDir: string): Promise<number[]> {
  if (process.platform !== 'linux') return []
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number)
  const belongs = await Promise.all(pids.map((pid) => isServerOf(pid, dataDir)))
  return pids.filter((_, index) => belongs[index])
}

/** Reading about a process that ends meanwhile, or that is another user's, is an answer: not ours. */
async function procFile(reading: Promise<string>): Promise<string | undefined> {
  try {
    return await reading
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined
    throw error
  }
}

async function psLine(pid: number, columns: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', columns, '-p', String(pid)], {
      env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' },
    })
    return stdout.trim() || undefined
  } catch (error) {
    // ps answers 1 when there is no such process.
    if (error instanceof Error && 'code' in error && error.code === 1) return undefined
    throw error
  }
}
