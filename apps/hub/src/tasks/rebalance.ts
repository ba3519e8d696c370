import { lanes } from '@muster/contract/task-states'
import { systemActor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import { raise, type Raise } from './ageing.ts'
import { ageing, type AgeingLimits } from './limits.ts'
import { lockRaisable, moveUp, showLane, type RaisableRow } from './sql/raisable.ts'

/**
 * Moves waiting tasks up a lane, as ageing.ts says, at most a hundred at a time. Each change is one event, which is its
 * entry in the audit. The rows of the queue are locked before the tasks, and the tasks in the order of their ids, as
 * everywhere.
 */
export function createRebalance({ events }: { events: Events }, limits: AgeingLimits = ageing) {
  return async function rebalance(tx: Tx): Promise<void> {
    const rows = (await lockRaisable(tx, limits)).toSorted((a, b) => (a.taskId < b.taskId ? -1 : 1))
    await Promise.all(rows.map((row) => move(tx, row)))
  }

  async function move(tx: Tx, row: RaisableRow): Promise<void> {
    const raised = raise(row, limits)
    if (raised === undefined) return
    const { workspaceId, taskId } = row
    const data = { from: lanes[row.lane], to: lanes[raised.to], why: whyOf(row, raised) }
    await Promise.all([
      tx.query(moveUp, [workspaceId, taskId, raised.to, raised.because === 'needed']),
      tx.query(showLane, [workspaceId, taskId, raised.to]),
      events.publish(tx, systemActor(workspaceId), { kind: 'task.lane_raised', taskId, data }),
    ])
  }
}

function whyOf(row: RaisableRow, { because }: Raise): string {
  switch (because) {
    case 'due':
      return `It is to be complete by ${row.completeBy?.toISOString() ?? 'then'}.`
    case 'age':
      return `It has waited for ${Math.round(row.inLaneMs / 60_000)} min in this lane.`
    case 'needed':
      return `${row.neededBy} tasks wait for it.`
  }
}
