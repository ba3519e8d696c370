import type { Random } from '../random.ts'
import type { HubSlot, Rig, WorkerSlot } from '../rig/rig.ts'

/** Where a fault strikes: a hub and a worker, of which the targeted task is or was. */
export type Scene = { rig: Rig; hub: HubSlot; worker: WorkerSlot; random: Random; isIdle: boolean }

export type Struck = {
  /** The instant from which on the fault was there. */
  at: number
  /** Only tasks of these count as hit; absent: of anybody. */
  victims?: string[]
  holdMs: number
  /** Ends the fault; recovery is counted from its end, or from `at` where what was killed has to come back. */
  heal(): Promise<void> | void
  countsFrom?: 'strike'
  /** Asked at the end: whether it was felt at all. A fault that changed nothing proves nothing. */
  wasFelt?(): boolean
}

export type Fault = {
  name: string
  /** Why this machine cannot have it; undefined when it can. */
  lacks?(rig: Rig): string | undefined
  /** Acts before it first waits, so that a task which was seen in its phase a moment ago is still there. */
  strike(scene: Scene): Promise<Struck> | Struck
}
