import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

export type FoundProcess = { pid: number; uid: number; command: string }

/**
 * Every living process of this machine that has to do with `text`: a directory or a marker. Its arguments are looked
 * at, its environment, its working directory, and its mounts, which are what gives a process behind a wall away when
 * it has hidden everything else.
 */
export async function processesOf(text: string): Promise<FoundProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const found = await Promise.all(pids.map((pid) => lookAt(pid, text)))
  return found.flatMap((one) => (one === undefined ? [] : [one]))
}

async function lookAt(pid: string, text: string): Promise<FoundProcess | undefined> {
  const at = join('/proc', pid)
  const status = await readable(readFile(join(at, 'status'), 'utf8'))
  // A zombie holds nothing any more; its parent only has not asked for its exit code yet.
  if (status === '' || /^State:\s+[ZX]/m.test(status)) return undefined
  const command = (await readable(readFile(join(at, 'cmdline'), 'utf8'))).replaceAll('\0', ' ').trim()
  const places = [
    Promise.resolve(command),
    readFile(join(at, 'environ'), 'utf8'),
    readlink(join(at, 'cwd')),
    // Spaces are written as \040 there.
    readFile(join(at, 'mountinfo'), 'utf8').then((mounts) => mounts.replaceAll('\\040', ' ')),
  ]
  const read = await Promise.all(places.map((place) => readable(place)))
  if (!read.some((place) => place.includes(text))) return undefined
  const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])
  return { pid: Number(pid), uid, command: command || `[${/^Name:\s+(.*)$/m.exec(status)?.[1] ?? ''}]` }
}

/** Processes end while they are looked at, and that is no finding. */
async function readable(reading: Promise<string>): Promise<string> {
  return reading.catch(() => '')
}

/** A worker of this data directory together with what would start it again, as if its machine were gone. */
export async function killForGood(data: string): Promise<void> {
  const own = (await processesOf(data)).filter(({ command }) =>
    /bin\/muster\.mjs|src\/main\.ts/.test(command),
  )
  // The oldest first: it is the one that starts the others.
  for (const { pid } of own.toSorted((a, b) => a.pid - b.pid)) process.kill(pid, 'SIGKILL')
}

/** Megabytes of real memory: what it holds now, and the most it ever held. */
export async function memoryOf(pid: number): Promise<{ nowMb: number; peakMb: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
  return { nowMb: kb('VmRSS') / 1024, peakMb: kb('VmHWM') / 1024 }
}
