import type { Agents } from '../agents/agents.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { GiveBack } from './give-back.ts'

const lockHeld = {
  name: 'tasks_lock_held',
  text: `select task_id, epoch, worker_id from task_queue
         where workspace_id = $1 and worker_id is not null and ($2::uuid is null or worker_id = $2)
         order by task_id for update`,
}

/**
 * The kill switch: takes back every lease of one worker, or of the workspace. The raised epoch refuses whatever the
 * runs still send; the tasks are queued again and nothing is counted against them. Answers the leases cut short.
 */
export function createStop({ agents, giveBack }: { agents: Agents; giveBack: GiveBack }) {
  return async function stop(tx: Tx, actor: Actor, workerId: string | null, reason: string) {
    // What a round gives out at this moment must be there to be taken back.
    await agents.lockAssignment(tx, actor.workspaceId)
    const held = await tx.query<{ task_id: string; epoch: number; worker_id: string }>(lockHeld, [
      actor.workspaceId,
      workerId,
    ])
    for (const { task_id: id } of held) {
      await giveBack.backOrDead(tx, actor, id, { reason, lost: false, delaySeconds: 0, raiseEpoch: true })
    }
    return held.map((row) => ({ taskId: row.task_id, epoch: row.epoch, workerId: row.worker_id }))
  }
}
