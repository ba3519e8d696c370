import type { Decision } from '@muster/contract/tasks'
import { noSupply, routeTask, type Asking, type Routed, type Supply } from '../models/supply.ts'

/**
 * Which worker gets which task.
 *
 * Why the hub decides and not the worker: a fleet that pulls cannot spread work, cannot say why a task waits, and
 * cannot be told to leave a machine alone. Workers only offer slots.
 *
 * What goes in: tasks in the order of the queue (lane, then first in, first out; the database has left out those
 * that none of these workers could run), and the workers of this hub with their free slots. What comes out: pairs,
 * each with the reason and the workers that were asked. The order of the tasks is kept: a task that fits nobody any
 * more does not hold up the one behind it, because what it waits for is a worker and not its turn.
 *
 *   a task fits a worker   when the worker offers its wall, has every capability it needs, and is the one it names,
 *                          if it names one (whyUnfit says what is missing, here and on the page)
 *   among those that fit   the one with the most free slots, so that work spreads evenly over the fleet; then the
 *                          one that was given the fewest tasks in this round; then by name, so that the same facts
 *                          give the same answer
 *
 * A task with a prompt is placed only together with a model: which one is chosen as models/route.ts says, among those
 * that the workers that fit can reach, and then only workers that reach it remain. One that has to wait for a model
 * holds up nobody, like every other that fits nobody.
 *
 * Nothing here is remembered. Several hubs decide at once, each for the workers connected to it; a task is given
 * out once because its row is locked while this runs and leased in the same transaction.
 */
export function dispatch(
  tasks: Waiting[],
  workers: Offered[],
  limit: number,
  { supply, usage }: Models = noModels,
): Placement[] {
  const running = new Map(usage.running)
  const free = new Map(workers.map((worker) => [worker.workerId, worker.free]))
  const placed: Placement[] = []
  for (const task of tasks) {
    if (placed.length >= limit) break
    const open = workers.filter((worker) => (free.get(worker.workerId) ?? 0) > 0)
    if (open.length === 0) break
    const able = open.filter((worker) => whyUnfit(task, worker) === undefined)
    const routed =
      task.model === null ? null : routeAmong({ supply, usage: { ...usage, running } }, task.model, able)
    if (routed !== null && 'waitingFor' in routed) continue
    const fitting = able.filter((worker) => routed === null || routed.workerIds.includes(worker.workerId))
    const chosen = fitting.toSorted(
      (a, b) =>
        (free.get(b.workerId) ?? 0) - (free.get(a.workerId) ?? 0) ||
        a.free - b.free ||
        (a.name < b.name ? -1 : 1),
    )[0]
    if (chosen === undefined) continue
    placed.push({
      taskId: task.taskId,
      worker: chosen,
      routed,
      ...explained(task, chosen, { fitting, open, free, routed }),
    })
    if (routed !== null) running.set(routed.endpointId, (running.get(routed.endpointId) ?? 0) + 1)
    free.set(chosen.workerId, (free.get(chosen.workerId) ?? 0) - 1)
  }
  return placed
}

export type Waiting = { taskId: string } & Wanted
/** `model` is null for a command, and for the practice model, which every worker has. */
export type Wanted = { wall: string; needs: string[]; onlyWorker: string | null; model: Asking | null }
export type Offered = Able & { free: number }
export type Able = { workerId: string; name: string; walls: string[]; capabilities: string[] }
export type Placement = Pick<Decision, 'reason' | 'candidates'> & {
  taskId: string
  worker: Offered
  routed: Routed | null
}

/** Runs by endpoint, and which endpoints work on which repository. */
export type Usage = { running: ReadonlyMap<string, number>; byRepo: ReadonlyMap<string, ReadonlySet<string>> }
export type Models = { supply: Supply; usage: Usage }
export const noModels: Models = { supply: noSupply, usage: { running: new Map(), byRepo: new Map() } }

/** The model that a task gets when these workers could run it, or what it waits for. */
export function routeAmong(
  { supply, usage }: Models,
  asking: Asking,
  able: { workerId: string }[],
): Routed | { waitingFor: string } {
  return routeTask(
    supply,
    asking,
    able.map((worker) => worker.workerId),
    { running: usage.running, affinity: usage.byRepo.get(asking.repoId) ?? new Set<string>() },
  )
}

/** What keeps this worker from running this task, whoever is free; undefined when nothing does. */
export function whyUnfit(task: Wanted, worker: Able): string | undefined {
  if (task.onlyWorker !== null && task.onlyWorker !== worker.workerId) return 'the task names another worker'
  if (!worker.walls.includes(task.wall)) return `offers no ${task.wall} wall`
  const missing = task.needs.filter((need) => !worker.capabilities.includes(need))
  return missing.length === 0 ? undefined : `does not have ${missing.join(', ')}`
}

// The stored explanation is for people; a fleet of hundreds would make it larger than the task.
const shownCandidates = 10

function explained(
  task: Waiting,
  chosen: Offered,
  among: { fitting: Offered[]; open: Offered[]; free: Map<string, number>; routed: Routed | null },
): Pick<Placement, 'reason' | 'candidates'> {
  const { fitting, open, free, routed } = among
  const candidates = open
    .toSorted((a, b) => Number(b === chosen) - Number(a === chosen))
    .slice(0, shownCandidates)
    .map((worker) => {
      const why =
        whyUnfit(task, worker) ??
        (routed?.workerIds.includes(worker.workerId) === false
          ? `does not reach ${routed.model.endpoint} as directly`
          : undefined)
      return {
        worker: worker.name,
        free: free.get(worker.workerId) ?? 0,
        fits: why === undefined,
        why: worker === chosen ? 'chosen' : (why ?? 'had fewer free slots, or came later by name'),
      }
    })
  const reason = reasonFor(task, chosen, fitting.length, open.length)
  return { reason: routed === null ? reason : `${reason} Model: ${routed.routing.reason}.`, candidates }
}

function reasonFor(task: Waiting, { name }: Offered, fitting: number, open: number): string {
  if (task.onlyWorker !== null) return `Given to ${name}: the task names it.`
  if (open === 1) return `Given to ${name}: it was the only worker with a free slot.`
  if (fitting === 1) return `Given to ${name}: of ${open} workers with a free slot only it fits.`
  return `Given to ${name}: it had the most free slots of the ${fitting} workers that fit.`
}
