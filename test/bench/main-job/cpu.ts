import { readdir, readFile } from 'node:fs/promises'
import type { Pids } from '../../scenarios/stack.ts'

/** Milliseconds of processor time since the start, by who used them. What else the machine does is not in it. */
export type Cpu = { hub: number; worker: number; gitAndWalls: number; database: number }

// USER_HZ of every Linux that Node runs on.
const msPerTick = 10

export async function cpuOf(pids: Pids): Promise<Cpu> {
  const [hub, worker] = await Promise.all([timesOf(pids.hub), timesOf(pids.worker)])
  return {
    hub: hub.own,
    worker: worker.own,
    gitAndWalls: worker.children,
    database: await databaseMs(pids.database),
  }
}

/** Of a server: of its first process, of those that it has now, and of those that ended. */
export async function databaseMs(postmaster: number): Promise<number> {
  const first = await timesOf(postmaster)
  const backends = await Promise.all((await childrenOf(postmaster)).map(ownMs))
  return first.own + first.children + backends.reduce((sum, each) => sum + each, 0)
}

export async function ownMs(pid: number): Promise<number> {
  return (await timesOf(pid)).own
}

/** `children` are those that have ended and were waited for, with theirs. */
async function timesOf(pid: number): Promise<{ own: number; children: number; parent: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name in parentheses may hold spaces; the fields are counted behind it.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [parent = 0] = fields.slice(1)
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11)
  return { own: (user + system) * msPerTick, children: (childUser + childSystem) * msPerTick, parent }
}

async function childrenOf(pid: number): Promise<number[]> {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const parents = await Promise.all(all.map(async (each) => (await timesOf(each)).parent))
  return all.filter((_, at) => parents[at] === pid)
}
