import type { TaskState } from '@muster/contract/task-states'
import type { Worker } from '@muster/contract/workers'
import { routeAmong, whyUnfit, type Models, type Wanted } from './dispatch.ts'

export type Shown = Wanted & {
  state: TaskState
  /** What the last change left as its reason. */
  reason: string | null
  onlyWorkerName: string | null
  notBefore: Date | null
  repo: { name: string; active: boolean }
  unmet: { title: string; state: TaskState }[]
}
export type Around = {
  workers: Worker[]
  paused: boolean
  running: number
  maxRunning: number
  models: Models
}

/**
 * Why a task is where it is, in one sentence. For a waiting task it is worked out from the facts that assignment
 * decides by, in the order in which it meets them, and with its own test of what fits; for an ended one it is what
 * the end recorded.
 */
export function explain(task: Shown, around: Around): string | null {
  if (task.state === 'waiting') return waitsFor(task.unmet)
  if (task.state !== 'queued') return task.reason
  const last = task.reason?.replace(/\.$/, '')
  const why = whyQueued(task, around)
  if (last === undefined) return `${why}.`
  // After a failed try what failed is the news, and the wait follows from it.
  return why.startsWith(notBefore) ? `${last}; next try n${why.slice(1)}.` : `${why} (${last}).`
}

const notBefore = 'Not before '

function whyQueued(task: Shown, { workers, paused, running, maxRunning, models }: Around): string {
  if (paused) return 'The queue is paused; "npx muster queue resume" lets it go on'
  if (!task.repo.active) return `The repository ${task.repo.name} is not active`
  if (task.notBefore !== null && task.notBefore.getTime() > Date.now()) {
    return `${notBefore}${task.notBefore.toISOString()}`
  }
  const connected = workers.filter((worker) => worker.connected)
  if (connected.length === 0) return 'No worker is connected'
  if (task.onlyWorkerName !== null && !connected.some((worker) => worker.name === task.onlyWorkerName)) {
    return `The task names ${task.onlyWorkerName}, which is not connected`
  }
  const able = connected.filter((worker) => whyUnfit(task, asAble(worker)) === undefined)
  if (able.length === 0) return nobodyFits(task, connected)
  const routed = task.model === null ? null : routeAmong(models, task.model, able.map(asAble))
  if (routed !== null && 'waitingFor' in routed) return `Waits for ${routed.waitingFor}`
  const open = able.filter((worker) => worker.cordoned === null)
  if (open.length === 0) return `${namesOf(able)} cordoned: ${able[0]?.cordoned ?? ''}`.replace(/\.$/, '')
  const ready = open.filter((worker) => worker.blocked === null && !worker.restarting)
  if (ready.length === 0)
    return `${open[0]?.name} ${open[0]?.blocked?.reason ?? 'is restarting'}`.replace(/\.$/, '')
  const free = ready.filter((worker) => worker.busy < worker.slots)
  if (free.length === 0) {
    return `All slots of ${ready.length === 1 ? 'the worker' : 'the workers'} that can run it are busy`
  }
  if (running >= maxRunning) return `${running} of at most ${maxRunning} tasks of this workspace run`
  return 'About to start'
}

export function asAble(worker: Worker) {
  return {
    workerId: worker.id,
    name: worker.name,
    walls: worker.walls.filter((wall) => wall.ok).map((wall) => wall.kind as string),
    capabilities: worker.capabilities,
  }
}

function nobodyFits(task: Shown, connected: Worker[]): string {
  const wall = connected.flatMap((worker) => worker.walls).find((each) => each.kind === task.wall)
  if (wall === undefined || !wall.ok) {
    const cause = wall === undefined ? `no worker offers a ${task.wall} wall` : wall.detail
    const fix = wall?.fix === undefined ? '' : ` ${wall.fix}`
    return `sandbox_unavailable: ${cause}.${fix}`.replace(/\.$/, '')
  }
  const whys = connected.map((worker) => `${worker.name} ${whyUnfit(task, asAble(worker)) ?? ''}`)
  const more = whys.length > 3 ? ` and ${whys.length - 3} more do not fit` : ''
  return `No connected worker can run it: ${whys.slice(0, 3).join('; ')}${more}`
}

function namesOf(workers: Worker[]): string {
  return workers.length === 1 ? `${workers[0]?.name} is` : `All ${workers.length} workers that can run it are`
}

function waitsFor(unmet: Shown['unmet']): string {
  const hopeless = unmet.find((task) => task.state === 'dead' || task.state === 'cancelled')
  if (hopeless !== undefined) {
    return `Waits for "${hopeless.title}", which is ${hopeless.state}; retry that task or cancel this one.`
  }
  const first = unmet[0]
  if (first === undefined) return 'About to be queued.'
  return `Waits for "${first.title}"${unmet.length > 1 ? ` and ${unmet.length - 1} more` : ''}.`
}
