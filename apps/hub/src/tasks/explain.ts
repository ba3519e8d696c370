import type { TaskState } from '@muster/contract/task-states'
import type { Worker } from '@muster/contract/workers'

export type Waiting = {
  state: TaskState
  /** What the last change left as its reason. */
  reason: string | null
  wall: string
  unmet: { title: string; state: TaskState }[]
}

/**
 * Why a task is where it is, in one sentence. For a waiting task it is worked out from the same facts the claim
 * decides by; for an ended one it is what the end recorded.
 */
export function explain(task: Waiting, workers: Worker[]): string | null {
  if (task.state === 'waiting') return waitsFor(task.unmet)
  if (task.state !== 'queued') return task.reason
  const connected = workers.filter((worker) => worker.connected)
  const because = task.reason === null ? '' : ` (${task.reason})`
  if (connected.length === 0) return `No worker is connected${because}.`
  const able = connected.filter((worker) => worker.walls.some((wall) => wall.kind === task.wall && wall.ok))
  if (able.length === 0) {
    const wall = connected.flatMap((worker) => worker.walls).find((each) => each.kind === task.wall)
    const cause = wall === undefined ? `no worker offers a ${task.wall} wall` : wall.detail
    const fix = wall?.fix === undefined ? '' : ` ${wall.fix}`
    return `sandbox_unavailable: ${cause}.${fix}`
  }
  const free = able.filter((worker) => worker.busy < worker.slots)
  if (free.length === 0)
    return `All slots of ${able.length === 1 ? 'the worker' : 'the workers'} are busy${because}.`
  return `About to start${because}.`
}

function waitsFor(unmet: Waiting['unmet']): string {
  const hopeless = unmet.find((task) => task.state === 'dead' || task.state === 'cancelled')
  if (hopeless !== undefined) {
    return `Waits for "${hopeless.title}", which is ${hopeless.state}; retry that task or cancel this one.`
  }
  const first = unmet[0]
  if (first === undefined) return 'About to be queued.'
  return `Waits for "${first.title}"${unmet.length > 1 ? ` and ${unmet.length - 1} more` : ''}.`
}
