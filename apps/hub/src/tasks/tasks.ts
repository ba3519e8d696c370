import type { Agents } from '../agents/agents.ts'
import type { Db, Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import type { Models } from '../models/models.ts'
import type { Repos } from '../repos/repos.ts'
import { createAgain } from './again.ts'
import { wantedModels } from './asking.ts'
import { createCancel } from './cancel.ts'
import type { QueueLimits } from './limits.ts'
import { createLook } from './look.ts'
import { createQueue } from './queue.ts'
import { createTakeIn } from './take-in.ts'

export type Tasks = ReturnType<typeof createTasks>

/** What people do with tasks. What workers do with them is in lease.ts; both write state and event together. */
export function createTasks(deps: {
  db: Db
  agents: Agents
  models: Models
  repos: Repos
  events: Events
  hints: Hints
  limits: QueueLimits
}) {
  const look = createLook(deps)
  const queue = createQueue(deps)
  const { get, idOf, namesOf, list, history, busy } = look
  return {
    ...createTakeIn({ ...deps, look, queue }),
    get,
    idOf,
    namesOf,
    list,
    history,
    busy,
    wantedModels,
    queue,
    ...createCancel({ ...deps, look }),
    ...createAgain({ ...deps, look }),
  }
}

/** What one worker holds, by whether it has accepted it. */
export async function holds(tx: Tx, { workspaceId, workerId }: { workspaceId: string; workerId: string }) {
  const [row] = await tx.query<{ assigned: number; accepted: number }>(
    {
      name: 'tasks_holds',
      text: `select count(*) filter (where accepted_at is null)::int as assigned, count(accepted_at)::int as accepted
             from task_queue where workspace_id = $1 and worker_id = $2`,
    },
    [workspaceId, workerId],
  )
  return row ?? { assigned: 0, accepted: 0 }
}
