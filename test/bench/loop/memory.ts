import { readFile, readdir } from 'node:fs/promises'
import { runTask } from './loops.ts'
import type { Place } from './place.ts'

/** Resident MB of this process, and what it and everything below it took more while the runs ran. */
export async function memoryOfRuns(place: Place, runs: number) {
  const before = await ownMb()
  const treeBefore = await treeMb()
  let peak = before
  let tree = treeBefore
  const looking = setInterval(() => {
    void ownMb().then((now) => (peak = Math.max(peak, now)))
    void treeMb().then((now) => (tree = Math.max(tree, now)))
  }, 200)
  const began = performance.now()
  try {
    await Promise.all(Array.from({ length: runs }, () => runTask(place, 'ours, in a wall, durable')))
  } finally {
    clearInterval(looking)
  }
  return { runs, before, peak, tree: tree - treeBefore, seconds: (performance.now() - began) / 1_000 }
}

const ownMb = async () => residentKb(await readFile('/proc/self/status', 'utf8')) / 1_024

function residentKb(status: string): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0)
}

async function treeMb(): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const read = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
  const all = await Promise.all(
    pids.map(async (pid) => {
      const status = await read(pid, 'status')
      return { pid, parent: /^PPid:\s+(\d+)/m.exec(status)?.[1] ?? '', kb: residentKb(status) }
    }),
  )
  const below = new Set([String(process.pid)])
  for (let grown = -1; grown !== below.size;) {
    grown = below.size
    for (const { pid, parent } of all) if (below.has(parent)) below.add(pid)
  }
  return all.filter(({ pid }) => below.has(pid)).reduce((sum, { kb }) => sum + kb, 0) / 1_024
}

export type Memory = Awaited<ReturnType<typeof memoryOfRuns>>
